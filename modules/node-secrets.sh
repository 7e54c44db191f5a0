set -o errexit -o nounset -o pipefail
shopt -s nullglob

# What a seed's partition says of itself: HOST, for whom the seed is; TAKEN, that all of it is in its place and only has
# to be erased.
owner=HOST
taken=TAKEN

# Written beside its place and renamed: a cut run leaves the old file or the new one, never half.
place() { # SOURCE TARGET
  local new=${2%/*}/.${2##*/}.new
  install --mode 0600 "$1" "$new"
  sync "$new"
  mv "$new" "$2"
  sync "${2%/*}"
}

# Onto the disk and, with the device's own cache, into it.
settle() {
  sync --file-system "$seed"
  sync "$SEED_DEVICE"
}

install --directory --mode 0700 "$SECRETS"
install --directory --mode 0755 "$SSH_KEYS"
# Of a cut run.
rm --force "$SECRETS"/.*.new "$SSH_KEYS"/.ssh_host_*.new

if [[ ! -b $SEED_DEVICE ]]; then
  echo "no seed partition at $SEED_DEVICE: keeping the secrets that are here" >&2
  exit 0
fi

seed=$RUNTIME_DIRECTORY
if ! mount -o rw,noexec,nosuid,nodev "$SEED_DEVICE" "$seed"; then
  kept=("$SECRETS"/*)
  if ((${#kept[@]} == 0)); then
    echo "error: no secret is here, and the seed partition cannot be read: flash the node again" >&2
    exit 1
  fi
  echo "the seed partition at $SEED_DEVICE cannot be read: keeping the secrets that are here" >&2
  exit 0
fi
trap 'umount "$seed"' EXIT

seeded=("$seed"/secret.*)
keys=("$seed"/ssh_host_*_key)

if [[ ! -e $seed/$taken ]] && ((${#seeded[@]} + ${#keys[@]} > 0)); then
  if [[ ! -e $seed/$owner ]]; then
    echo "error: the seed does not say for whom it is: none of it was taken" >&2
    exit 1
  fi
  found=$(<"$seed/$owner")
  if [[ $found != "$CLUSTER/$NODE" ]]; then
    echo "error: the seed is for ${found@Q}, and this is '$CLUSTER/$NODE': none of it was taken" >&2
    echo "hint: flash this node with its own image, as \`rk1 flash $NODE\` does" >&2
    exit 1
  fi
  for source in "${seeded[@]}"; do
    place "$source" "$SECRETS/${source##*/secret.}"
  done
  for source in "${keys[@]}"; do
    # The public half of another key. sshd makes do without.
    rm --force "$SSH_KEYS/${source##*/}.pub"
    place "$source" "$SSH_KEYS/${source##*/}"
  done
  # From here on no cut run takes what is half erased.
  : >"$seed/$taken"
  settle
fi

# The old bytes too: whoever reads the partition later must not find them.
for source in "${seeded[@]}" "${keys[@]}"; do
  shred --iterations=0 --zero --remove=unlink "$source"
done
settle
rm --force "$seed/$owner"
settle
rm --force "$seed/$taken"
settle
