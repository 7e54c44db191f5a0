//! The bytes of packets, which the packet program copies where they are asked for.

use super::LoadError;
use aya::maps::perf::{PerfEvent, PerfEventArrayBuffer};
use aya::maps::{Map, MapData, PerfEventArray};
use packet_record::{CAPTURE_HEAD, CaptureHead};
use std::fmt;

/// The memory for the packets of each CPU, in pages: 4 MiB, which holds 2,700 packets of 1,500 bytes.
const PAGES: usize = 1024;

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
        let mut array = PerfEventArray::try_from(map)?;
        let cpus = aya::util::online_cpus().map_err(|(_, error)| LoadError::refused(&error))?;
        let buffers = cpus.into_iter().map(|cpu| array.open(cpu, Some(PAGES)));
        let buffers = buffers.collect::<Result<_, _>>().map_err(|error| LoadError::buffers(&error))?;
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
