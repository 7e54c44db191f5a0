set -o errexit -o nounset -o pipefail
umask 077

# k3s makes an authority of its own unless it finds both files (`createSigningCertKey` in its pkg/daemons/control/deps). The
# certificate comes last: its presence says that both are whole. Its bytes are those that the hash in the token is made of.

block() { # LABEL: the part of the file from the first to the last line of a PEM block
  sed --quiet --regexp-extended "/^-----BEGIN $1-----\$/,/^-----END $1-----\$/p" "$AUTHORITY"
}

# Writes beside the target and renames, so that an interrupted run leaves no part of a file.
place() { # TARGET
  cat >"$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
  sync "$(dirname "$1")"
}

install --directory --mode 0700 "$TLS"
key=$(block '([A-Z]+ )?PRIVATE KEY')
certificate=$(block 'CERTIFICATE')
if [[ -z $key || -z $certificate ]]; then
  echo "error: $AUTHORITY does not hold a certificate and its key" >&2
  echo "hint: flash the node again, which writes the file" >&2
  exit 1
fi
place "$TLS/server-ca.key" <<<"$key"
place "$TLS/server-ca.crt" <<<"$certificate"
