# What the preparation of a disk and the check of an existing filesystem share. Both scripts read this file. The functions
# use their variables `node` and `link`.
# shellcheck shell=bash disable=SC2154

say() { printf 'rk1-storage: %s\n' "$*" >&2; }

# refuse MESSAGE [HINT]...
refuse() {
  say "error: $1"
  shift
  local hint
  for hint in "$@"; do say "hint: $hint"; done
  told=yes
  exit 1
}

# shellcheck disable=SC2317 # called by the trap
farewell() {
  (($? == 0)) || [[ $told == yes ]] || say "error: stopped by the failure above; the next run continues from here"
}
told=no
trap farewell EXIT

# unmounted_cleanly NODE
unmounted_cleanly() {
  local header
  header=$(dumpe2fs -h -- "$1" 2>/dev/null)
  [[ $header =~ "Filesystem state:"\ +clean$'\n' && $header != *needs_recovery* ]]
}

# device_number NODE: prints the device's major and minor number.
device_number() {
  local hex
  hex=$(stat --dereference --format %t:%T -- "$1")
  printf '%d:%d' "0x${hex%:*}" "0x${hex#*:}"
}

mounted() { grep -q -E "^[0-9]+ [0-9]+ $(device_number "$1") " /proc/self/mountinfo; }

# ready NODE DESCRIPTION
ready() {
  ln -sfn -- "$1" "$link"
  say "ready: \`$node\`, $2"
  exit 0
}

# check_ext4 FILESYSTEM: repairs what e2fsck repairs by itself.
check_ext4() {
  local checked=0
  # A filesystem that was unmounted cleanly is only read. `e2fsck -p` would write to it even so.
  if unmounted_cleanly "$1" && e2fsck -n -- "$1" >/dev/null 2>&1; then return; fi
  e2fsck -p -- "$1" >&2 || checked=$?
  # e2fsck(8): 1 means that errors were corrected, 2 to reboot if it was mounted (it was not), 4 and more that errors remain.
  ((checked < 4)) || refuse "\`$node\` has errors that need a decision; it is not mounted" \
    "repair them with \`e2fsck -f $1\`, then reboot"
}
