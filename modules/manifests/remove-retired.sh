set -o errexit -o nounset -o pipefail
shopt -s nullglob

waiting=0
for path in "$SERVER"/manifests/*; do
  name=${path##*/}
  if [[ -L $path || $(head --bytes=64 "$path") != "# retired" ]]; then
    continue
  fi
  # k3s keeps the SHA-256 of the file that it applied last in the add-on, which is called as the file up to its first dot.
  addon=${name%%.*}
  applied=$(k3s kubectl --namespace=kube-system get addons.k3s.cattle.io "$addon" --ignore-not-found --output=jsonpath='{.spec.checksum}')
  if [[ $applied == "$(sha256sum "$path" | cut --delimiter=' ' --fields=1)" ]]; then
    rm "$path"
    k3s kubectl --namespace=kube-system delete addons.k3s.cattle.io "$addon" --ignore-not-found
  else
    echo "k3s has not yet taken back what $name held" >&2
    waiting=1
  fi
done
exit "$waiting"
