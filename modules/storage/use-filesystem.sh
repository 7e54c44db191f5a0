#!/usr/bin/env bash
# Finds a filesystem by its UUID and creates a link to it, so that it is mounted as it is. It is never formatted or grown, and
# nothing is written to it but the repairs that e2fsck makes by itself.
#
# usage: use-filesystem.sh UUID LINK
#   LINK  becomes a link to the filesystem when it can be mounted, and does not exist otherwise
# RK1_STORAGE_WAIT is as in prepare-disk.sh. RK1_STORAGE_SYSTEM is a directory on the system's disk (default: /).
set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C

if (($# != 2)); then
  echo "usage: use-filesystem.sh UUID LINK" >&2
  exit 2
fi
readonly uuid=$1 link=$2
# shellcheck source=modules/storage/check.sh
. "${BASH_SOURCE[0]%/*}/check.sh"

# Prints the devices with the UUID. It looks at all disks itself: of two with the same UUID, udev has a link to one.
find_devices() {
  blkid --cache-file /dev/null --match-token "UUID=$uuid" --output device || (($? == 2))
}

# disk_of NUMBER: prints the name of the disk that a device is, or is a partition of.
disk_of() {
  local path
  path=$(realpath -- "/sys/dev/block/$1")
  [[ ! -e $path/partition ]] || path=${path%/*}
  printf '%s' "${path##*/}"
}

rm -f -- "$link"
mkdir -p -- "$(dirname -- "$link")"
patience=${RK1_STORAGE_WAIT:-60}
[[ ! -e $link.waited ]] || patience=0
mapfile -t devices < <(find_devices | LC_ALL=C sort)
for ((waited = 0; waited < patience && ${#devices[@]} == 0; waited++)); do
  sleep 1
  mapfile -t devices < <(find_devices | LC_ALL=C sort)
done
: >"$link.waited"
((${#devices[@]} > 0)) || refuse "no filesystem with the UUID \`$uuid\` appeared in time; k3s starts when it appears" \
  "check that the disk is plugged in; \`lsblk --fs\` lists the filesystems"
((${#devices[@]} == 1)) || refuse "${#devices[@]} filesystems have the UUID \`$uuid\`: ${devices[*]}; none is mounted" \
  "unplug the copy, or give it another UUID, then reboot"
node=${devices[0]}
readonly node

# The node of the system's disk need not be the one that is mounted: any partition of that disk is refused.
system=$(stat --format %d -- "${RK1_STORAGE_SYSTEM:-/}")
system=$((system >> 8 & 0xfff)):$((system & 0xff | system >> 12 & 0xfff00))
if [[ -e /sys/dev/block/$system && $(disk_of "$system") == "$(disk_of "$(device_number "$node")")" ]]; then
  refuse "\`$node\` is on the disk that holds the system" "write the UUID of a filesystem on another disk"
fi
mounted "$node" && ready "$node" "already mounted, left unchanged"
type=$(blkid --probe --match-tag TYPE --output value -- "$node")
case $type in
  ext4)
    check_ext4 "$node"
    ;;
  xfs)
    # The kernel replays its log, and mkfs.xfs has no check of its own.
    ;;
  *)
    refuse "\`$node\` holds $type; a filesystem that is used as it is must be ext4 or xfs"
    ;;
esac
ready "$node" "an existing $type filesystem, used as it is"
