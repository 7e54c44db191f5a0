# rk1-secrets compare: reads a key and then `NAME HASH` for each secret, and prints the names of those whose file has another
# hash, or that have none. A hash is the SHA-256 of the key and the bytes: it says nothing to whoever does not know the key.
# rk1-secrets replace: reads `NAME BASE64` for each secret, and writes the file.
#
# Everything comes through standard input, so that no argument contains a secret.
set -o errexit -o nounset -o pipefail
umask 077

most=256

fail() {
  echo "error: $1" >&2
  exit 1
}

# A name as rk1 accepts it, which is also that of the file.
check_name() {
  [[ $1 =~ ^[a-z0-9][a-z0-9._-]{0,71}$ ]] || fail "a line does not begin with the name of a secret"
  [[ ! -L $SECRETS/$1 && (! -e $SECRETS/$1 || -f $SECRETS/$1) ]] || fail "the file of $1 is not a regular file"
}

compare() {
  local key name hash found
  IFS= read -r key || fail "the key is missing"
  while read -r name hash; do
    ((count += 1)) && ((count <= most)) || fail "more than $most secrets"
    check_name "$name"
    found=
    if [[ -f $SECRETS/$name ]]; then
      found=$({ printf '%s' "$key" && cat "$SECRETS/$name"; } | sha256sum)
    fi
    if [[ ${found%% *} != "$hash" ]]; then
      printf '%s\n' "$name"
    fi
  done
}

replace() {
  local name text new
  install --directory --mode 0700 "$SECRETS"
  while read -r name text; do
    ((count += 1)) && ((count <= most)) || fail "more than $most secrets"
    check_name "$name"
    new=$SECRETS/.$name.new
    # The shell itself prints it: no other process has it as an argument.
    printf '%s' "$text" | base64 --decode >"$new" || fail "the bytes of $name are damaged: nothing was replaced"
    [[ -s $new ]] || fail "the bytes of $name are missing: nothing was replaced"
    sync "$new"
    mv "$new" "$SECRETS/$name"
    sync "$SECRETS"
  done
}

count=0
case "$*" in
compare) compare ;;
replace) replace ;;
*) fail "usage: rk1-secrets compare|replace" ;;
esac
