set -o errexit -o nounset -o pipefail
shopt -s nullglob

# Files of the seed partition beside the secrets: HOST names the node that the seed is for, and TAKEN says that everything
# has been moved and only has to be erased.
owner=HOST
taken=TAKEN
# More than any cluster has. `rk1 flash` takes no file that is larger.
most_files=256
largest=65536

# Writes beside the target and renames, so that an interrupted run leaves the old file or the new one, never a part of it.
place() { # SOURCE TARGET
  local new=${2%/*}/.${2##*/}.new
  install --mode 0600 "$1" "$new"
  sync "$new"
  mv "$new" "$2"
  sync "${2%/*}"
}

# Writes everything to the disk, including what the device itself caches.
settle() {
  sync --file-system "$seed"
  sync "$SEED_DEVICE"
}

install --directory --mode 0700 "$SECRETS"
install --directory --mode 0755 "$SSH_KEYS"
# Left by an interrupted run.
rm --force "$SECRETS"/.*.new "$SSH_KEYS"/.ssh_host_*.new

if [[ ! -b $SEED_DEVICE ]]; then
  echo "no seed partition at $SEED_DEVICE: keeping the secrets that the node has" >&2
  exit 0
fi

seed=$RUNTIME_DIRECTORY
# `rk1 flash` creates a FAT. Another filesystem could hold links, devices and pipes.
if ! mount -t vfat -o rw,noexec,nosuid,nodev "$SEED_DEVICE" "$seed"; then
  kept=("$SECRETS"/*)
  if ((${#kept[@]} == 0)); then
    echo "error: the node has no secret, and the seed partition at $SEED_DEVICE cannot be read: flash the node again" >&2
    exit 1
  fi
  echo "the seed partition at $SEED_DEVICE cannot be read: keeping the secrets that the node has" >&2
  exit 0
fi
trap 'umount "$seed"' EXIT

# Neither is ever anything but a file.
for file in "$seed/$owner" "$seed/$taken"; do
  if [[ -L $file || (-e $file && ! -f $file) ]]; then
    echo "error: \`${file##*/}\` of the seed is not a regular file: nothing was moved" >&2
    exit 1
  fi
done

found=()
for file in "$seed"/secret.[A-Za-z0-9]* "$seed"/ssh_host_*_key; do
  found+=("$file")
done
if ((${#found[@]} > most_files)); then
  echo "error: the seed has more than $most_files files: nothing was moved" >&2
  exit 1
fi
seeded=() keys=()
for file in "${found[@]}"; do
  if [[ ! -f $file || -L $file ]]; then
    echo "${file@Q} is not a regular file: ignored" >&2
  elif (($(stat --format %s "$file") > largest)); then
    echo "${file@Q} is larger than $largest bytes: ignored" >&2
  elif [[ $file == "$seed"/secret.* ]]; then
    seeded+=("$file")
  else
    keys+=("$file")
  fi
done

if [[ ! -e $seed/$taken ]] && ((${#seeded[@]} + ${#keys[@]} > 0)); then
  if [[ ! -e $seed/$owner ]]; then
    echo "error: the seed does not say which node it is for: nothing was moved" >&2
    exit 1
  fi
  # A host's full name has 317 characters at most.
  names=$(head --bytes 512 "$seed/$owner")
  if [[ $names != "$CLUSTER/$NODE" ]]; then
    echo "error: the seed is for ${names@Q}, and this node is '$CLUSTER/$NODE': nothing was moved" >&2
    echo "hint: flash this node with its own image, as \`rk1 flash $NODE\` does" >&2
    exit 1
  fi
  for source in "${seeded[@]}"; do
    place "$source" "$SECRETS/${source##*/secret.}"
  done
  for source in "${keys[@]}"; do
    # This public key belongs to another private key. sshd does not need the file.
    rm --force "$SSH_KEYS/${source##*/}.pub"
    place "$source" "$SSH_KEYS/${source##*/}"
  done
  # From here on, no later run takes a file that is partly erased.
  : >"$seed/$taken"
  settle
fi

# Overwrites the old bytes too, so that nobody finds them on the partition later.
for source in "${seeded[@]}" "${keys[@]}"; do
  shred --iterations=0 --zero --remove=unlink "$source"
done
settle
rm --force "$seed/$owner"
settle
rm --force "$seed/$taken"
settle
