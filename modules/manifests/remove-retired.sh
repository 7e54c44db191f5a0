set -o errexit -o nounset -o pipefail
shopt -s nullglob

waiting=0
for path in "$SERVER"/manifests/*; do
  name=${path##*/}
  if [[ -L $path || $(head --bytes=64 "$path") != "# retired" ]]; then
    continue
  fi
  # k3s records the SHA-256 of the last applied file in an add-on, whose name is the file's name up to its first dot.
  addon=${name%%.*}
  applied=$(k3s kubectl --namespace=kube-system get addons.k3s.cattle.io "$addon" --ignore-not-found --output=jsonpath='{.spec.checksum}')
  if [[ $applied == "$(sha256sum "$path" | cut --delimiter=' ' --fields=1)" ]]; then
    rm "$path"
    k3s kubectl --namespace=kube-system delete addons.k3s.cattle.io "$addon" --ignore-not-found
  else
    echo "k3s has not yet deleted the resources of $name" >&2
    waiting=1
  fi
done
exit "$waiting"
