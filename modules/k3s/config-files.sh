set -o errexit -o nounset -o pipefail

# FILES has `NAME=TEMPLATE` for each file, and SECRETS the paths of the secrets that the templates refer to. A file is made
# beside its target and renamed. The bytes of secrets only go through pipes: no argument or message contains them.

secrets=() missing=()
read -r -a secrets <<<"$SECRETS" || true
for secret in "${secrets[@]}"; do
  if [[ ! -s $secret ]]; then
    missing+=("$secret")
  fi
done

# The contents of all secrets by their paths, each without a line break at its end.
contents() {
  for secret in "${secrets[@]}"; do
    if [[ -s $secret ]]; then
      jq --null-input --arg path "$secret" --rawfile text "$secret" \
        '{ key: $path, value: ($text | rtrimstr("\n") | rtrimstr("\r")) }'
    fi
  done
}

# Replaces each reference to a secret. A part of the file that refers to a missing one is left out.
filled() { # TEMPLATE
  contents | jq --slurp --slurpfile template "$1" '
    from_entries as $contents
    | def fill:
        if type == "object" and has("_secret") then $contents[._secret]
        elif type == "object" then with_entries(.value |= fill) | with_entries(select(.value != null))
        elif type == "array" then map(fill)
        else . end;
    $template[0] | fill'
}

changed=0
for entry in $FILES; do
  target=$RUNTIME_DIRECTORY/${entry%%=*}
  filled "${entry#*=}" >"$target.new"
  if [[ -e $target ]] && ! cmp --silent "$target" "$target.new"; then
    changed=1
  fi
  mv "$target.new" "$target"
done

if ((changed)); then
  # k3s reads the files when it starts; its pods keep running. At a boot it is not running yet.
  systemctl --no-block try-restart k3s.service
fi

if ((${#missing[@]})); then
  echo "error: ${missing[*]} is missing or empty: k3s runs without what needs it" >&2
  echo "hint: flash the node again, or write the file" >&2
  exit 1
fi
