set -o errexit -o nounset -o pipefail

# etcd takes objects of at most 1.5 MiB, and a Secret has at most 1 MiB of data.
limit=$((1024 * 1024))

if [[ ! -s $FILE ]]; then
  echo "$FILE is empty" >&2
  exit 1
fi
if (($(stat --dereference --format %s "$FILE") > limit)); then
  echo "$FILE is larger than 1 MiB, the limit of a Kubernetes Secret" >&2
  exit 1
fi

# Prints the file without a line break at its end, byte by byte: a command substitution would drop zero bytes.
content() {
  local end
  end=$(tail --bytes 2 "$FILE" | base64 --wrap 0)
  case $end in
  DQo= | Cg==) drop=2 ;; # "\r\n", or nothing but "\n"
  *) drop=0 ;;
  esac
  if ((drop == 0)) && [[ $(tail --bytes 1 "$FILE" | base64 --wrap 0) == Cg== ]]; then
    drop=1
  fi
  head --bytes "-$drop" "$FILE"
}

if [[ -z $(content | head --bytes 1 | base64) ]]; then
  echo "$FILE holds nothing but a line break" >&2
  exit 1
fi

# The secret goes from pipe to pipe, so no argument, file or message contains it. Server-side apply keeps kubectl from
# writing it into an annotation.
content | base64 --wrap 0 |
  jq --raw-input --slurp --arg name "$NAME" --arg namespace "$NAMESPACE" --arg key "$KEY" --arg type "$TYPE" '
  {
    apiVersion: "v1",
    kind: "List",
    items: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: $namespace } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: $name, namespace: $namespace },
        type: $type,
        data: { ($key): . }
      }
    ]
  }' |
  k3s kubectl apply --server-side --force-conflicts --field-manager="$MANAGER" --filename=-
