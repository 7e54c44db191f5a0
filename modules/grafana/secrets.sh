set -o errexit -o nounset -o pipefail

# make FILE: writes 256 random bits to a missing file, in characters that need no quoting.
make() {
  local file=$1
  [[ -e $file ]] && return
  install --directory --mode 0700 "${file%/*}"
  head --bytes 32 /dev/urandom | base64 | tr '+/' '-_' | tr --delete '=\n' >"$file.new"
  sync "$file.new"
  mv "$file.new" "$file"
}

make "$ADMIN_PASSWORD_FILE"
make "$SECRET_KEY_FILE"
