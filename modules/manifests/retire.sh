set -o errexit -o nounset -o pipefail
shopt -s nullglob

# Links into the store are NixOS's; whatever else lies here is somebody's own.
is_ours() {
  [[ -L $1 && $(readlink "$1") == "$STORE"/* ]]
}

for path in "$SERVER"/manifests/*; do
  name=${path##*/}
  if is_ours "$path" && [[ " $MANIFESTS " != *" $name "* ]]; then
    echo "$name is no longer rendered: k3s takes its resources back" >&2
    # Without objects: k3s deletes those that the file held before. Renamed into place, never half written.
    echo "# retired" > "$SERVER/manifests/.$name.new"
    mv "$SERVER/manifests/.$name.new" "$path"
  fi
done

for path in "$SERVER"/static/charts/*; do
  name=${path##*/}
  if is_ours "$path" && [[ " $CHARTS " != *" $name "* ]]; then
    rm "$path"
  fi
done
