set -o errexit -o nounset -o pipefail

if [[ ! -s $FILE ]]; then
  echo "$FILE is empty" >&2
  exit 1
fi

# The secret goes from pipe to pipe: it is in no argument, no file and no message. Applied on the server's side, or
# kubectl would write it into an annotation too.
jq --raw-input --slurp --arg name "$NAME" --arg namespace "$NAMESPACE" --arg key "$KEY" '
  {
    apiVersion: "v1",
    kind: "List",
    items: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: $namespace } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: $name, namespace: $namespace },
        type: "Opaque",
        data: { ($key): (rtrimstr("\n") | rtrimstr("\r") | @base64) }
      }
    ]
  }' < "$FILE" |
  k3s kubectl apply --server-side --force-conflicts --field-manager=rk1 --filename=-
