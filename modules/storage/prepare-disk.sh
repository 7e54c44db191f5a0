#!/usr/bin/env bash
# Prepares a blank disk for rk1, or checks one that it prepared before, and creates a link to the partition to mount.
# Any other disk is refused and not written to. docs/storage.md lists what happens to each kind of disk.
#
# usage: prepare-disk.sh DEVICE DEFINITIONS LINK RECORD [KEY]
#   DEVICE       the disk, e.g. /dev/nvme0n1 or a link in /dev/disk/by-id
#   DEFINITIONS  the directory with the one systemd-repart definition, which also identifies a partition of ours
#   LINK         becomes a link to the filesystem when it can be mounted, and does not exist otherwise
#   RECORD       the file, on the system's disk, that identifies the unencrypted disk that this node uses
#   KEY          the file with the key of the disk. Without this argument, a blank disk is not encrypted
# RK1_STORAGE_WAIT is the number of seconds to wait for a disk that has not appeared (default: 60). Only the first run
# of a boot waits: systemd runs this script again whenever something needs the mounts, and starts it when the disk appears.
#
# Each of these writes is on stable storage before the next begins, so that a later run can finish what a power loss
# interrupted:
#   1. the note: one sector in the unused gap before the first partition, written only to a blank disk
#   2. the partition table
#   3. with a key, the header of the encryption (encryption.sh)
#   4. the filesystem
#   5. the note is erased, and the partition can be mounted
# A disk with the note therefore holds nothing but an unfinished preparation. A partition of ours that has neither a
# filesystem nor the note has lost its filesystem, and is never formatted again.
#
# Type and name of our partition are public, so anybody can make a disk that looks like one of ours. An encrypted disk
# proves that it belongs to this node: the node's key opens it. An unencrypted one is compared with the record.
set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C

if (($# < 4 || $# > 5)); then
  echo "usage: prepare-disk.sh DEVICE DEFINITIONS LINK RECORD [KEY]" >&2
  exit 2
fi
readonly device=$1 definitions=$2 link=$3 record=$4 key=${5:-}
# shellcheck source=modules/storage/check.sh
. "${BASH_SOURCE[0]%/*}/check.sh"
# shellcheck source=modules/storage/encryption.sh
. "${BASH_SOURCE[0]%/*}/encryption.sh"

readonly KIB=1024 MIB=$((1024 * 1024))
# A partition table ends within 32 KiB of either end of the disk, with sectors of 512 and of 4096 bytes (UEFI 2.10, 5.3).
readonly TABLE=$((32 * KIB))
readonly NOTE_AT=$((512 * KIB)) NOTE_SIZE=$((4 * KIB))
# Shorter than a sector, which is written as a whole or not at all.
readonly NOTE="rk1-storage: this disk was blank; its preparation has begun and is not finished"
readonly EDGE=$((16 * MIB)) SAMPLES=64 SAMPLE=$((64 * KIB))

refuse_foreign() {
  refuse "$1; nothing was written to \`$disk\`" \
    "list its contents with \`lsblk --fs $disk\`" \
    "if none of it is needed, erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
}

# definition KEY: prints the value of KEY in our partition's definition.
definition() { sed -n "s/^$1=//p" "$definitions"/*.conf; }

# zeros FROM TO: whether the disk holds only zeros between the two offsets, in bytes. A read error counts as other data.
zeros() {
  (($1 >= $2)) || cmp --ignore-initial="$1:0" --bytes="$(($2 - $1))" -- "$disk" /dev/zero >/dev/null
}

# untouched MARGIN: whether the disk holds only zeros at its edges and at places spread over it. The sector of the note
# and MARGIN bytes at both ends are not looked at.
untouched() {
  local margin=$1 edge=$((size / 2 < EDGE ? size / 2 : EDGE)) step=$((size / SAMPLES / MIB * MIB)) at
  zeros "$margin" "$NOTE_AT" && zeros $((NOTE_AT + NOTE_SIZE)) "$edge" || return 1
  for ((at = step; step > 0 && at < size - edge; at += step)); do
    zeros "$at" $((at + SAMPLE)) || return 1
  done
  zeros $((size - edge)) $((size - margin))
}

noted() { [[ $(dd if="$disk" bs="$NOTE_SIZE" skip=$((NOTE_AT / NOTE_SIZE)) count=1 status=none | tr -d '\0') == "$NOTE" ]]; }

# overwrite OFFSET LENGTH: replaces these bytes of the disk with standard input, padded with zeros.
overwrite() {
  dd of="$disk" oflag=seek_bytes seek="$1" bs="$2" count=1 iflag=fullblock conv=sync,notrunc,fsync status=none
}

repart() {
  systemd-repart --dry-run="$1" --empty=allow --discard=no --pretty=no --definitions="$definitions" "$disk"
}

# Reads the partition table: its scheme, the number, start and sectors of our partition, and the count of ours and others.
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

# foreign_signatures: prints the types of the signatures that belong neither to the disk's GPT nor to our partition, whose
# files may contain any signature.
foreign_signatures() {
  local at type
  wipefs --noheadings --output OFFSET,TYPE -- "$disk" | while read -r at type; do
    [[ $scheme == gpt && ($type == gpt || $type == PMBR) ]] && continue
    ((at >= start * 512 && at < (start + sectors) * 512)) && continue
    printf '%s\n' "$type"
  done | sort -u | paste -sd ' '
}

# partition_node: prints the device node of our partition if the kernel has it where the table says.
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
    # The kernel has not read the new table, or was built without support for it.
    ((tries > 1)) && sleep 0.5
    partx --update -- "$disk" 2>/dev/null || true
  done
  refuse "the kernel does not show partition $number of \`$disk\` as its table describes it" "reboot; if this persists, see \`dmesg\`"
}

# identity: prints what identifies our partition and the unencrypted filesystem in it.
identity() {
  printf '%s %s\n' "$(partx --raw --noheadings --output UUID --nr "$number" -- "$disk")" \
    "$(blkid --probe --match-tag UUID --output value -- "$node")"
}

# Writes beside the record and renames, so that an interrupted run leaves the old record or the new one.
remember() {
  [[ -e $record && $(<"$record") == "$1" ]] && return
  mkdir -p -- "${record%/*}"
  printf '%s\n' "$1" >"$record.new"
  sync -- "$record.new"
  mv -- "$record.new" "$record"
  sync -- "${record%/*}"
}

# --- the disk itself

rm -f -- "$link"
mkdir -p -- "$(dirname -- "$link")"
patience=${RK1_STORAGE_WAIT:-60}
[[ ! -e $link.waited ]] || patience=0
for ((waited = 0; waited < patience; waited++)); do
  [[ -e $device ]] && break
  sleep 1
done
: >"$link.waited"
[[ -e $device ]] || refuse "\`$device\` did not appear in time; k3s starts when it appears" \
  "check that the disk is seated in the slot of this node, then power the node off and on"
disk=$(realpath -- "$device")
readonly disk name=${disk##*/} sysfs=/sys/class/block/${disk##*/}
[[ -b $disk ]] || refuse "\`$device\` is not a block device" "set rk1.storage.device to a whole disk"
[[ ! -e $sysfs/partition ]] || refuse "\`$device\` is a partition" "set rk1.storage.device to the whole disk"
size=$(($(<"$sysfs/size") * 512))
readonly size
((size > 0)) || refuse "\`$device\` has no medium in it"
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
  mounted "$node" && ready "$node" "already mounted, left unchanged"
  if mapping_is_ours && mounted "$mapped"; then ready "$mapped" "already mounted, left unchanged"; fi
fi
foreign=$(foreign_signatures)

if [[ $note == yes ]] && ((others == 0)) && untouched "$TABLE"; then
  say "an earlier preparation of \`$disk\` was interrupted at its partition table; starting again"
  for edge in 0 $((size - TABLE)); do
    overwrite "$edge" "$TABLE" </dev/zero
  done
  ours=0
elif [[ $scheme == gpt ]]; then
  ((ours > 0)) || refuse_foreign "\`$disk\` has a partition table that rk1 did not create"
  ((ours == 1)) || refuse_foreign "\`$disk\` has $ours partitions of rk1's type; one is expected"
  [[ -z $foreign ]] || refuse_foreign "\`$disk\` holds a signature outside rk1's partition: $foreign"
  [[ $note == no ]] || ((others == 0)) || refuse_foreign "\`$disk\` has another partition, added before rk1's was ready"
elif [[ $foreign =~ ^(PMBR|gpt|PMBR gpt)$ ]]; then
  refuse_foreign "\`$disk\` has a GPT that is empty, damaged or made for a disk of another size"
elif [[ -n $foreign ]]; then
  refuse_foreign "\`$disk\` is in use by something else: $foreign"
elif untouched 0 && zeros "$NOTE_AT" $((NOTE_AT + NOTE_SIZE)); then
  say "\`$disk\` is blank"
  [[ -z $key ]] || key_is_usable || refuse_without_key
  if ! plan=$(repart yes 2>&1); then
    say "$plan"
    refuse "\`$disk\` has no room for rk1's partition of at least $(definition SizeMinBytes); nothing was written to it"
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
  ((ours == 1)) || refuse "systemd-repart created no partition on \`$disk\`"
  await_partition
elif ((others == 0)); then
  repart no || say "warning: the partition could not be grown; it keeps its size"
fi

# --- the encryption

contents=$(wipefs --noheadings --output TYPE -- "$node" | sort -u | paste -sd ' ')
found=$(identity)
known=no
[[ $contents != ext4 || ! -e $record || $(<"$record") != "$found" ]] || known=yes

filesystem=$node manner='an ext4 filesystem without errors'
if [[ $known == yes ]]; then
  [[ -z $key ]] || say "warning: \`$node\` is not encrypted: an earlier version of rk1 prepared it"
elif [[ -n $key ]] && key_is_usable; then
  if [[ $note == yes && $contents =~ ^(crypto_LUKS|ext4)?$ ]]; then
    open_encrypted || encrypt
    filesystem=$mapped
  elif [[ $contents == crypto_LUKS ]]; then
    open_encrypted || refuse_key
    filesystem=$mapped
  elif [[ $contents == ext4 ]]; then
    refuse "\`$node\` is not encrypted, and this node has not used it before; nothing was written to it" \
      "if it holds the data of this node, accept it with \`mkdir -p ${record%/*} && echo $found >$record\`, then reboot" \
      "otherwise erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
  fi
  manner='encrypted, an ext4 filesystem without errors'
elif [[ $contents == crypto_LUKS ]]; then
  [[ -z $key ]] || refuse_without_key
  refuse "\`$node\` is encrypted, and this node has no key for it; nothing was written to it" \
    "set \`encryption = true\` in \`[storage]\` of cluster.toml, and flash the node with its key"
elif [[ $contents == ext4 && -e $record && $note == no ]]; then
  refuse "\`$node\` is not the disk that this node used before; nothing was written to it" \
    "if it may be used, remove \`$record\`, then reboot"
elif [[ -n $key ]]; then
  # A node that was flashed before its disk could be encrypted goes on as it was.
  [[ $contents == ext4 ]] || refuse_without_key
  say "warning: \`$node\` is not encrypted: an earlier version of rk1 prepared it, and this node has no key"
elif [[ $contents == ext4 && -e $record ]]; then
  # An interrupted preparation that follows another disk.
  contents=''
fi

# --- the filesystem

if [[ $filesystem == "$mapped" ]]; then
  contents=$(wipefs --noheadings --output TYPE -- "$mapped" | sort -u | paste -sd ' ')
  # What an interrupted mkfs.ext4 has left is noise once it is decrypted.
  [[ $contents == ext4 || $note == no ]] || contents=''
fi
if [[ -z $contents && $note == yes ]]; then
  say "creating an ext4 filesystem on \`$node\`"
  # ext4 has 16 bytes for a label.
  mkfs.ext4 -q -L "${our_label:0:16}" -E nodiscard -- "$filesystem" </dev/null
  sync -- "$filesystem"
elif [[ -z $contents ]]; then
  refuse "\`$node\` was created by rk1 and has lost its filesystem; nothing was written to it" \
    "try to repair it with \`e2fsck -b 32768 $filesystem\`, which uses a copy of the superblock" \
    "if none of it is needed, erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
elif [[ $contents != ext4 ]]; then
  refuse_foreign "\`$node\` holds $contents; rk1 expects ext4"
fi

check_ext4 "$filesystem"

[[ $filesystem != "$node" ]] || remember "$(identity)"
if [[ $note == yes ]]; then
  overwrite "$NOTE_AT" "$NOTE_SIZE" </dev/zero
fi
ready "$filesystem" "$manner"
