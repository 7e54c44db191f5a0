# The encryption of the data disk: LUKS2 with one key, which lies in a file. prepare-disk.sh reads this file. The functions use
# its variables `node`, `key` and `link`, and its function `refuse`.
# shellcheck shell=bash disable=SC2154

# The key is random, so that guessing it takes for ever even without a slow derivation.
readonly ITERATIONS=1000 KEY_LEAST=32 KEY_MOST=65536
readonly CIPHER=aes-xts-plain64

# Named after the link: /run/rk1/storage is /dev/mapper/run-rk1-storage.
mapping=${link#/}
readonly mapping=${mapping//\//-}
readonly mapped=/dev/mapper/$mapping

# libdevmapper creates the node itself. Waiting for udev would need the udev rules of LVM, which nodes do not have.
export DM_DISABLE_UDEV=1

key_is_usable() {
  local length
  [[ -f $key && ! -L $key ]] || return
  length=$(stat --format %s -- "$key")
  ((length >= KEY_LEAST && length <= KEY_MOST))
}

refuse_without_key() {
  local what="is missing"
  [[ ! -e $key ]] || what="is not a file of $KEY_LEAST to $KEY_MOST bytes"
  refuse "the key of \`$disk\`, \`$key\`, $what; nothing was written to the disk" \
    "run \`rk1 secrets --generate\` and flash the node again, or write the key to this file, as root and with mode 0600, then reboot"
}

refuse_key() {
  refuse "\`$node\` is encrypted, and the key of this node does not open it; nothing was written to it" \
    "if it is the disk of another node or cluster, use that one's key or another disk" \
    "if none of it is needed, erase it with \`wipefs --all $disk && blkdiscard --zeroout $disk\`, then reboot"
}

# Whether the header says what `encrypt` writes. A header is not authenticated: with a cipher of its own choice, such as
# cipher_null, a forged one would open with every key, and an extreme derivation would keep the boot waiting.
header_is_ours() {
  cryptsetup luksDump --dump-json-metadata -- "$node" 2>/dev/null |
    jq --exit-status --arg cipher "$CIPHER" --argjson iterations "$ITERATIONS" '
      (.keyslots["0"] | .type == "luks2" and .key_size == 64
        and .area.type == "raw" and .area.encryption == $cipher and .area.key_size == 64
        and .kdf.type == "pbkdf2" and .kdf.hash == "sha256" and .kdf.iterations == $iterations
        and .af.type == "luks1" and .af.stripes == 4000 and .af.hash == "sha256")
      and (.segments | length == 1 and all(.[]; .type == "crypt" and .encryption == $cipher
        and .iv_tweak == "0" and .size == "dynamic" and (has("integrity") | not)))
      and (.digests | length == 1 and all(.[]; .type == "pbkdf2" and .hash == "sha256" and .iterations <= 10000000))
      and (.config | has("requirements") | not)' >/dev/null 2>&1
}

# mapping_is_ours: whether the mapping exists and leads to our partition.
mapping_is_ours() {
  [[ -b $mapped ]] && [[ -e /sys/dev/block/$(device_number "$mapped")/slaves/${node##*/} ]]
}

# open_encrypted: whether the key opens our partition, as `mapped`. Says nothing and writes nothing if it does not.
open_encrypted() {
  # Left by an earlier run of this boot. It may lead to a disk that was unplugged.
  [[ ! -b $mapped ]] || cryptsetup close -- "$mapping" ||
    refuse "\`$mapped\` is in use and does not lead to \`$node\`" "reboot"
  header_is_ours && cryptsetup open --type luks2 --key-slot 0 --key-file "$key" --allow-discards -- "$node" "$mapping" 2>/dev/null
}

encrypt() {
  say "encrypting \`$node\`"
  cryptsetup luksFormat --batch-mode --type luks2 --cipher "$CIPHER" --key-size 512 --hash sha256 \
    --pbkdf pbkdf2 --pbkdf-force-iterations "$ITERATIONS" --label "$our_label" --key-file "$key" -- "$node"
  sync -- "$node"
  open_encrypted || refuse "\`$node\` was encrypted and cannot be opened" "reboot; if this persists, see \`dmesg\`"
}
