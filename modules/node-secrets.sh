set -o errexit -o nounset -o pipefail
shopt -s nullglob

install --directory --mode 0700 "$SECRETS"
if [[ ! -b $SEED_DEVICE ]]; then
  echo "no seed partition at $SEED_DEVICE: keeping the secrets that are here" >&2
  exit 0
fi

seed=$RUNTIME_DIRECTORY
mount -o rw,noexec,nosuid,nodev "$SEED_DEVICE" "$seed"
trap 'umount "$seed"' EXIT

for source in "$seed"/secrets/*; do
  name=${source##*/}
  # Written beside its place and renamed: a cut run leaves the old secret or the new one, never half.
  install --mode 0600 "$source" "$SECRETS/.$name.new"
  sync "$SECRETS/.$name.new"
  mv "$SECRETS/.$name.new" "$SECRETS/$name"
  sync "$SECRETS"
  # The old bytes too: whoever reads the partition later must not find them.
  shred --iterations=0 --zero --remove "$source"
done
