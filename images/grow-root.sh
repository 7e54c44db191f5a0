set -o errexit -o nounset -o pipefail

device=$(realpath "$ROOT_DEVICE")
partition=/sys/class/block/${device##*/}
parent=$(realpath "$partition/..")
disk=/dev/${parent##*/}

# From sysfs: the device's minor number and lsblk's PARTN have both been wrong on eMMC.
number=$(<"$partition/partition")
start=$(<"$partition/start")
size=$(<"$partition/size")
whole=$(<"$parent/size")

# All in sectors of 512 bytes. Less than 1 MiB is not worth a write to the partition table.
if ((whole - start - size >= 2048)); then
  # No other partition follows this one. Its start stays.
  echo ', +' | sfdisk --quiet --no-reread --no-tell-kernel --partno "$number" "$disk"
  partx --update --nr "$number" "$disk"
fi

# Mounted, at each boot: with nothing to do it does nothing, and a cut run is made up for.
resize2fs "$device"
