set -o errexit -o nounset -o pipefail

device=$(realpath "$ROOT_DEVICE")
partition=/sys/class/block/${device##*/}
parent=$(realpath "$partition/..")
disk=/dev/${parent##*/}

# From sysfs, because the device's minor number and lsblk's PARTN have both been wrong on an eMMC.
number=$(<"$partition/partition")
start=$(<"$partition/start")
size=$(<"$partition/size")
whole=$(<"$parent/size")

# All sizes are in sectors of 512 bytes. Less than 1 MiB is not worth a write to the partition table.
if ((whole - start - size >= 2048)); then
  # The root is the last partition. It keeps its start.
  echo ', +' | sfdisk --quiet --no-reread --no-tell-kernel --partno "$number" "$disk"
  partx --update --nr "$number" "$disk"
fi

# Runs at every boot while the filesystem is mounted. It does nothing if there is nothing to grow, and completes what an
# interrupted run left.
resize2fs "$device"
