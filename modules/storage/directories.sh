set -o errexit -o nounset -o pipefail

# A disk from elsewhere could hold a link in a directory's place. A bind mount would follow it to any directory of the node.
for name in $DIRECTORIES; do
  path=$MOUNT_POINT/$name
  if [[ -L $path ]] || { [[ -e $path ]] && [[ ! -d $path ]]; }; then
    echo "error: \`$path\` is not a directory; nothing is bound to it" >&2
    echo "hint: move it away with \`mv $path $path.old\`, then reboot" >&2
    exit 1
  fi
  mkdir --parents "$path"
done
