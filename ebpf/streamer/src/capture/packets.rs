//! The bytes of packets, which the packet program copies where they are asked for.

use super::{LoadError, bpf};
use aya::maps::perf::{PerfEvent, PerfEventArrayBuffer};
use aya::maps::{Map, MapData, PerfEventArray};
use packet_record::{CAPTURE_HEAD, CaptureHead, map};
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// The memory for the packets of each CPU, in pages: 4 MiB, which holds 2,700 packets of 1,500 bytes.
const PAGES: usize = 1024;

// `PERF_TYPE_*`, `PERF_COUNT_SW_*`, `PERF_SAMPLE_*`, `PERF_FLAG_*` and `PERF_EVENT_IOC_SET_OUTPUT` of linux/perf_event.h.
const TYPE_SOFTWARE: u32 = 1;
const COUNT_BPF_OUTPUT: u64 = 10;
const SAMPLE_RAW: u64 = 1 << 10;
const FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;
const IOC_SET_OUTPUT: libc::Ioctl = 0x2405;

/// The first version of `struct perf_event_attr`.
#[repr(C)]
struct EventAttributes {
    kind: u32,
    size: u32,
    count: u64,
    period: u64,
    sample: u64,
    read: u64,
    flags: u64,
    /// The number of events after which the kernel signals the reader.
    wakeup_events: u32,
    breakpoint: u32,
    rest: u64,
}

/// The kernel keeps the number of events until a signal as an `int`.
const NEVER: u32 = i32::MAX as u32;

const SIZE: u32 = 64;
const _: () = assert!(size_of::<EventAttributes>() == SIZE as usize);

/// The buffers of all CPUs.
pub(super) struct Packets {
    buffers: Vec<PerfEventArrayBuffer<MapData>>,
    /// An event that lies across the end of its buffer, put together.
    joined: Vec<u8>,
}

impl fmt::Debug for Packets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets").field("buffers", &self.buffers.len()).finish_non_exhaustive()
    }
}

impl Packets {
    pub(super) fn open(map: Map) -> Result<Self, LoadError> {
        let Map::PerfEventArray(data) = &map else { return Err(LoadError::Absent(map::PACKETS)) };
        let events = data.fd().as_fd().try_clone_to_owned().map_err(|error| LoadError::buffers(&error))?;
        let mut array = PerfEventArray::try_from(map)?;
        let cpus = aya::util::online_cpus().map_err(|(_, error)| LoadError::refused(&error))?;
        let mut buffers = Vec::with_capacity(cpus.len());
        for cpu in cpus {
            let buffer = array.open(cpu, Some(PAGES)).map_err(|error| LoadError::buffers(&error))?;
            silence(events.as_fd(), cpu, buffer.as_fd()).map_err(|error| LoadError::buffers(&error))?;
            buffers.push(buffer);
        }
        Ok(Self { buffers, joined: Vec::new() })
    }

    /// Visits every packet that is there, one CPU after the other. Returns how many were lost because a buffer was full.
    pub(super) fn read(&mut self, mut visit: impl FnMut(&CaptureHead, &[u8])) -> u64 {
        let mut lost = 0;
        let joined = &mut self.joined;
        for buffer in &mut self.buffers {
            buffer.for_each(|event| match event {
                PerfEvent::Lost { count } => lost += count,
                PerfEvent::Sample { head, tail } => {
                    let event = if tail.is_empty() {
                        head
                    } else {
                        joined.clear();
                        joined.extend_from_slice(head);
                        joined.extend_from_slice(tail);
                        joined.as_slice()
                    };
                    let Some(head) = CaptureHead::from_bytes(event) else { return };
                    let end = CAPTURE_HEAD.saturating_add(head.length as usize);
                    if let Some(bytes) = event.get(CAPTURE_HEAD..end) {
                        visit(&head, bytes);
                    }
                }
            });
        }
        lost
    }
}

/// Replaces the event of `cpu` by one that writes into the same buffer without a signal to the reader.
///
/// aya's event signals each packet, which takes the kernel an interrupt to itself, and aya has no setting for that. The daemon
/// polls. The kernel still signals once for each half of the buffer.
fn silence(map: BorrowedFd<'_>, cpu: u32, buffer: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = EventAttributes {
        kind: TYPE_SOFTWARE,
        size: SIZE,
        count: COUNT_BPF_OUTPUT,
        period: 1,
        sample: SAMPLE_RAW,
        read: 0,
        flags: 0,
        wakeup_events: NEVER,
        breakpoint: 0,
        rest: 0,
    };
    let (every_process, no_group) = (-1, -1);
    // SAFETY: the kernel reads as many bytes of the attributes as they say.
    let event = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            every_process,
            cpu,
            no_group,
            FLAG_FD_CLOEXEC,
        )
    };
    if event < 0 {
        return Err(io::Error::last_os_error());
    }
    let event = i32::try_from(event).map_err(io::Error::other)?;
    // SAFETY: the kernel has just created this descriptor for this process, and it has no other owner.
    let event = unsafe { OwnedFd::from_raw_fd(event) };
    // SAFETY: the argument is a descriptor.
    if unsafe { libc::ioctl(event.as_raw_fd(), IOC_SET_OUTPUT, buffer.as_raw_fd()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    bpf::set_event(map, cpu, event.as_fd())
}

#[cfg(test)]
#[path = "../../../../tests/requirement/mod.rs"]
mod requirement;

#[cfg(test)]
mod tests {
    use super::*;
    use aya::EbpfLoader;
    use aya::programs::{TestRun as _, TestRunOptions, Xdp};
    use packet_record::{global, program};
    use packet_ring::{FlowOptions, Size};

    /// A signal for each packet costs the sender more than the packet.
    #[test]
    fn packets_are_copied_without_a_signal_to_the_reader() {
        if !rustix::process::geteuid().is_root() {
            return requirement::skipped(
                "copies of packets without a signal",
                "loading a BPF program needs root",
            );
        }
        let size = Size::with_bits(10).unwrap();
        let mut loader = EbpfLoader::new();
        loader.override_global(global::SNAPLEN, &96_u32, true);
        let flows = FlowOptions::new(false, 0, size);
        flows.apply(&mut loader);
        size.apply(&mut loader);
        let mut ebpf = loader.load(packet_object::PROGRAM).unwrap();
        let mut control: aya::maps::Array<_, packet_record::Control> =
            ebpf.take_map(map::CONTROL).unwrap().try_into().unwrap();
        control.set(0, packet_record::Control { ratio: 1, ..packet_record::Control::default() }, 0).unwrap();
        let mut packets = Packets::open(ebpf.take_map(map::PACKETS).unwrap()).unwrap();
        let program: &mut Xdp = ebpf.program_mut(program::XDP).unwrap().try_into().unwrap();
        program.load().unwrap();
        let frame = [0x5a; 60];
        program
            .test_run(TestRunOptions { data_in: Some(&frame), repeat: 3, ..TestRunOptions::default() })
            .unwrap();

        for buffer in &packets.buffers {
            let mut poll = libc::pollfd { fd: buffer.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one valid entry.
            assert_eq!(unsafe { libc::poll(&raw mut poll, 1, 0) }, 0, "the reader is signalled");
        }
        let mut copies = Vec::new();
        assert_eq!(packets.read(|head, bytes| copies.push((head.frame_length, bytes.to_vec()))), 0);
        assert_eq!(copies, vec![(60, frame.to_vec()); 3]);
    }
}
