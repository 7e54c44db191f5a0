set -o errexit -o nounset -o pipefail
shopt -s nullglob

# NixOS creates links into the store. Every other file belongs to k3s or to the user.
is_ours() {
  [[ -L $1 && $(readlink "$1") == "$STORE"/* ]]
}

for path in "$SERVER"/manifests/*; do
  name=${path##*/}
  if is_ours "$path" && [[ " $MANIFESTS " != *" $name "* ]]; then
    echo "$name is no longer rendered: k3s deletes its resources" >&2
    # k3s deletes the resources that a file no longer contains. The rename keeps it from reading half a file.
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
