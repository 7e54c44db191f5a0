# Writes the boot loader, the seed partition and the root filesystem to their offsets in the image, and compresses it.

if (($(stat --dereference --format %s "$LOADER") > LOADER_LIMIT)); then
  echo "the boot loader does not fit before the first partition: raise seedOffset in images/layout.nix" >&2
  exit 1
fi

image=$IMAGE_NAME.img
truncate --size $((ROOT_OFFSET + $(stat --dereference --format %s "$ROOT"))) "$image"

# U-Boot reads an MBR, whose table does not overlap the boot loader. It boots from the partition that is marked bootable.
sfdisk --quiet --no-reread --no-tell-kernel "$image" <<TABLE
label: dos
label-id: 0x$DISK_ID
start=$((SEED_OFFSET / SECTOR_SIZE)), size=$((SEED_SIZE / SECTOR_SIZE)), type=e
start=$((ROOT_OFFSET / SECTOR_SIZE)), type=83, bootable
TABLE

truncate --size "$SEED_SIZE" seed.img
mkfs.vfat --invariant -n "$SEED_LABEL" -i "$SEED_ID" seed.img

write() {
  dd if="$1" of="$image" bs="$BLOCK_SIZE" seek=$(($2 / BLOCK_SIZE)) conv=notrunc,sparse status=none
}
write "$LOADER" "$LOADER_OFFSET"
write seed.img "$SEED_OFFSET"
write "$ROOT" "$ROOT_OFFSET"

# The BMC decompresses .xz only, with a memory limit that the default dictionary size respects.
mkdir "$out"
xz --threads="$NIX_BUILD_CORES" -6 --stdout "$image" >"$out/$image.xz"
cd "$out"
# The digest of the file as it is sent, for `sha256sum --check` and `tpi flash --sha256`.
sha256sum "$image.xz" >"$image.xz.sha256"
