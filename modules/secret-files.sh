set -o errexit -o nounset -o pipefail

if [[ ! -s $SOURCE ]]; then
  echo "error: $SOURCE is missing or empty: $TARGET stays as it is" >&2
  echo "hint: flash the node again, or run \`rk1 deploy\`, which writes the file" >&2
  exit 1
fi
if [[ -d $TARGET && ! -L $TARGET ]]; then
  echo "error: $TARGET is a folder" >&2
  exit 1
fi

# Of the file that the units have read, if there is one.
changed=0
if [[ ! -f $TARGET ]] || ! cmp --silent "$SOURCE" "$TARGET"; then
  changed=1
fi

# Made beside the target with its owner and mode, and renamed: no reader sees a part of it, or may not read it.
new=$(mktemp "${TARGET%/*}/.rk1-XXXXXXXXXX")
trap 'rm --force "$new"' EXIT
cat "$SOURCE" >"$new"
chown "$OWNER:$GROUP" "$new"
chmod "$MODE" "$new"
sync "$new"
mv --no-target-directory "$new" "$TARGET"

if ((changed)) && [[ -n $RESTART ]]; then
  read -r -a units <<<"$RESTART"
  # At a boot they are not running yet, and start afterwards.
  systemctl --no-block try-restart "${units[@]}"
fi
