# Puts loader, seed partition and root filesystem where the layout wants them, and compresses the whole.

if (($(stat --dereference --format %s "$LOADER") > LOADER_LIMIT)); then
  echo "the loader does not fit before the first partition: raise seedOffset in images/layout.nix" >&2
  exit 1
fi

image=$IMAGE_NAME.img
truncate --size $((ROOT_OFFSET + $(stat --dereference --format %s "$ROOT"))) "$image"

# MBR: the board's U-Boot reads it, and its table leaves the loader's place alone. U-Boot boots from the partition that
# is marked bootable.
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

# The board controller decompresses .xz, no other form, and with a memory limit: stay at the default dictionary.
mkdir "$out"
xz --threads="$NIX_BUILD_CORES" -6 --stdout "$image" >"$out/$image.xz"
cd "$out"
# What `sha256sum --check` and `tpi flash --sha256` take: of the bytes as they are sent.
sha256sum "$image.xz" >"$image.xz.sha256"
