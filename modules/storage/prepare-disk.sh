#!/usr/bin/env bash
# Makes a blank disk ready for rk1, or checks the one that it made ready before, and links to the partition to mount.
# Any other disk is refused and not written to. What happens to each kind of disk: docs/storage.md.
#
# usage: prepare-disk.sh DEVICE DEFINITIONS LINK
#   DEVICE       the disk, e.g. /dev/nvme0n1 or a link in /dev/disk/by-id
#   DEFINITIONS  the directory with the one systemd-repart definition, which also says what a partition of ours is
#   LINK         becomes a link to our partition when it can be mounted, and does not exist otherwise
# RK1_STORAGE_WAIT is how many seconds to wait for a disk that is not there yet (30).
#
# The order of the writes, each on stable storage before the next begins, lets a run that lost power be finished later:
#   1. the note: one sector in the unused gap before the first partition, written only to a disk found blank
#   2. the partition table
#   3. the filesystem
#   4. the note is erased; only now can the partition be mounted
# So a disk with the note holds nothing but our own half-done work, and a partition of ours without a filesystem and
# without the note has lost it: that one is never formatted again.
set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C

if (($# != 3)); then
  echo "usage: prepare-disk.sh DEVICE DEFINITIONS LINK" >&2
  exit 2
fi
readonly device=$1 definitions=$2 link=$3

readonly KIB=1024 MIB=$((1024 * 1024))
# A partition table ends within 32 KiB of either end of the disk, with sectors of 512 and of 4096 bytes (UEFI 2.10, 5.3).
readonly TABLE=$((32 * KIB))
readonly NOTE_AT=$((512 * KIB)) NOTE_SIZE=$((4 * KIB))
# Under 512 bytes: a sector is written whole or not at all.
readonly NOTE="rk1-storage: this disk was blank; its preparation has begun and is not finished"
readonly EDGE=$((16 * MIB)) SAMPLES=64 SAMPLE=$((64 * KIB))

say() { printf 'rk1-storage: %s\n' "$*" >&2; }

# refuse MESSAGE [HINT]...
refuse() {
  say "error: $1"
  shift
  local hint
  for hint in "$@"; do say "hint: $hint"; done
  told=yes
  exit 1
}

# shellcheck disable=SC2317 # called by the trap
farewell() {
  (($? == 0)) || [[ $told == yes ]] || say "error: stopped by the failure above; the next run goes on from here"
}
told=no
trap farewell EXIT

refuse_foreign() {
  refuse "$1; nothing was written to \`$disk\`" \
    "see what it holds with \`lsblk --fs $disk\`" \
    "when none of it is needed, erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
}

# definition KEY: the value that our definition gives the partition.
definition() { sed -n "s/^$1=//p" "$definitions"/*.conf; }

# zeros FROM TO: whether the disk holds only zeros between the two offsets, in bytes. A read error is a no.
zeros() {
  (($1 >= $2)) || cmp --ignore-initial="$1:0" --bytes="$(($2 - $1))" -- "$disk" /dev/zero >/dev/null
}

# untouched MARGIN: whether the disk holds only zeros at its edges and at places spread over it, leaving aside the
# sector of the note and MARGIN bytes at both ends.
untouched() {
  local margin=$1 edge=$((size / 2 < EDGE ? size / 2 : EDGE)) step=$((size / SAMPLES / MIB * MIB)) at
  zeros "$margin" "$NOTE_AT" && zeros $((NOTE_AT + NOTE_SIZE)) "$edge" || return 1
  for ((at = step; step > 0 && at < size - edge; at += step)); do
    zeros "$at" $((at + SAMPLE)) || return 1
  done
  zeros $((size - edge)) $((size - margin))
}

noted() { [[ $(dd if="$disk" bs="$NOTE_SIZE" skip=$((NOTE_AT / NOTE_SIZE)) count=1 status=none | tr -d '\0') == "$NOTE" ]]; }

# overwrite OFFSET LENGTH: replaces these bytes of the disk with standard input, filled up with zeros.
overwrite() {
  dd of="$disk" oflag=seek_bytes seek="$1" bs="$2" count=1 iflag=fullblock conv=sync,notrunc,fsync status=none
}

repart() {
  systemd-repart --dry-run="$1" --empty=allow --discard=no --pretty=no --definitions="$definitions" "$disk"
}

# Reads the partition table into `scheme`, `number`, `start` and `sectors` of our partition, and counts in `ours` and `others`.
read_table() {
  local row_scheme nr from length type label
  scheme='' number='' start=0 sectors=0 ours=0 others=0
  while read -r row_scheme nr from length type label; do
    scheme=$row_scheme
    if [[ ${type,,} == "$our_type" && $label == "$our_label" ]]; then
      number=$nr start=$from sectors=$length
      ours=$((ours + 1))
    else
      others=$((others + 1))
    fi
  done < <(partx --raw --noheadings --output SCHEME,NR,START,SECTORS,TYPE,NAME -- "$disk" 2>/dev/null)
}

# foreign_signatures: types of the signatures on the disk that neither belong to its GPT nor lie inside our partition,
# where files may look like anything.
foreign_signatures() {
  local at type
  wipefs --noheadings --output OFFSET,TYPE -- "$disk" | while read -r at type; do
    [[ $scheme == gpt && ($type == gpt || $type == PMBR) ]] && continue
    ((at >= start * 512 && at < (start + sectors) * 512)) && continue
    printf '%s\n' "$type"
  done | sort -u | paste -sd ' '
}

# partition_node: the device node of our partition, once the kernel has it where the table says.
partition_node() {
  local entry
  for entry in "$sysfs/$name"*/; do
    if [[ -e $entry/partition && $(<"$entry/partition") == "$number" && $(<"$entry/start") == "$start" &&
      $(<"$entry/size") == "$sectors" && -b /dev/$(basename -- "$entry") ]]; then
      printf '/dev/%s\n' "$(basename -- "$entry")"
    fi
  done
}

await_partition() {
  local tries
  for tries in {1..10}; do
    node=$(partition_node)
    [[ -n $node ]] && return
    # The kernel has not read the new table, or was built without a reader for it.
    ((tries > 1)) && sleep 0.5
    partx --update -- "$disk" 2>/dev/null || true
  done
  refuse "the kernel does not show partition $number of \`$disk\` as its table has it" "reboot; if it stays so, see \`dmesg\`"
}

unmounted_cleanly() {
  local header
  header=$(dumpe2fs -h -- "$node" 2>/dev/null)
  [[ $header =~ "Filesystem state:"\ +clean$'\n' && $header != *needs_recovery* ]]
}

mounted() { grep -q -E "^[0-9]+ [0-9]+ $(<"$sysfs/${1##*/}/dev") " /proc/self/mountinfo; }

ready() {
  mkdir -p -- "$(dirname -- "$link")"
  ln -sfn -- "$node" "$link"
  say "ready: \`$node\`, $1"
  exit 0
}

# --- the disk itself

rm -f -- "$link"
patience=${RK1_STORAGE_WAIT:-30}
for ((waited = 0; waited < patience; waited++)); do
  [[ -e $device ]] && break
  sleep 1
done
[[ -e $device ]] || refuse "\`$device\` did not appear in time; k3s will not start" \
  "check that the disk is seated in the slot of this node and listed by \`lsblk\`, then reboot"
disk=$(realpath -- "$device")
readonly disk name=${disk##*/} sysfs=/sys/class/block/${disk##*/}
[[ -b $disk ]] || refuse "\`$device\` is not a block device" "set rk1.storage.device to a whole disk"
[[ ! -e $sysfs/partition ]] || refuse "\`$device\` is a partition" "set rk1.storage.device to the whole disk"
size=$(($(<"$sysfs/size") * 512))
readonly size
((size > 0)) || refuse "\`$device\` has no size: there is no medium in it"
[[ $(<"$sysfs/ro") == 0 ]] || refuse "\`$device\` is read-only"

our_type=$(definition Type)
our_label=$(definition Label)
readonly our_type our_label

# --- what is on it

read_table
note=no
if noted; then note=yes; fi

if ((ours == 1)); then
  await_partition
  mounted "$node" && ready "mounted already, left as it is"
fi
foreign=$(foreign_signatures)

if [[ $note == yes ]] && ((others == 0)) && untouched "$TABLE"; then
  say "an earlier preparation of \`$disk\` was interrupted at its partition table; starting again"
  for edge in 0 $((size - TABLE)); do
    overwrite "$edge" "$TABLE" </dev/zero
  done
  ours=0
elif [[ $scheme == gpt ]]; then
  ((ours > 0)) || refuse_foreign "\`$disk\` has a partition table that rk1 did not make"
  ((ours == 1)) || refuse_foreign "\`$disk\` has $ours partitions of rk1's type, where one is expected"
  [[ -z $foreign ]] || refuse_foreign "\`$disk\` holds a signature outside rk1's partition: $foreign"
  [[ $note == no ]] || ((others == 0)) || refuse_foreign "\`$disk\` got another partition before rk1's was ready"
elif [[ $foreign =~ ^(PMBR|gpt|PMBR gpt)$ ]]; then
  refuse_foreign "\`$disk\` has a GPT that is empty, damaged or made for a disk of another size"
elif [[ -n $foreign ]]; then
  refuse_foreign "\`$disk\` is in use by something else: $foreign"
elif untouched 0 && zeros "$NOTE_AT" $((NOTE_AT + NOTE_SIZE)); then
  say "\`$disk\` is blank"
  if ! plan=$(repart yes 2>&1); then
    say "$plan"
    refuse "\`$disk\` cannot take rk1's partition of at least $(definition SizeMinBytes); nothing was written to it"
  fi
  overwrite "$NOTE_AT" "$NOTE_SIZE" <<<"$NOTE"
  note=yes
else
  refuse_foreign "\`$disk\` holds data of an unknown kind"
fi

# --- the partition

if ((ours == 0)); then
  repart no
  read_table
  ((ours == 1)) || refuse "systemd-repart made no partition on \`$disk\`"
  await_partition
elif ((others == 0)); then
  repart no || say "warning: the partition could not be grown; it is used as it is"
fi

# --- the filesystem

filesystem=$(wipefs --noheadings --output TYPE -- "$node" | sort -u | paste -sd ' ')
if [[ -z $filesystem && $note == yes ]]; then
  say "making an ext4 filesystem on \`$node\`"
  mkfs.ext4 -q -L "$our_label" -E nodiscard -- "$node" </dev/null
  sync -- "$node"
elif [[ -z $filesystem ]]; then
  refuse "\`$node\` was made by rk1 and has lost its filesystem; nothing was written to it" \
    "try to save it with \`e2fsck -b 32768 $node\`, which uses a copy of the superblock" \
    "when none of it is needed, erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
elif [[ $filesystem != ext4 ]]; then
  refuse_foreign "\`$node\` holds $filesystem, where rk1 expects ext4"
fi

# A filesystem that was unmounted cleanly is only read: `e2fsck -p` writes to it all the same.
if ! unmounted_cleanly || ! e2fsck -n -- "$node" >/dev/null 2>&1; then
  checked=0
  e2fsck -p -- "$node" >&2 || checked=$?
  # e2fsck(8): 1 errors were corrected, 2 reboot if it was mounted (it was not), 4 and more: errors are left.
  ((checked < 4)) || refuse "\`$node\` has errors that need a decision; it is not mounted" \
    "see and mend them with \`e2fsck -f $node\`, then reboot"
fi

if [[ $note == yes ]]; then
  overwrite "$NOTE_AT" "$NOTE_SIZE" </dev/zero
fi
ready "an ext4 filesystem without errors"
