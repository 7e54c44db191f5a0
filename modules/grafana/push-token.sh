set -o errexit -o nounset -o pipefail
umask 0077

account=xdp-streamer

fail() {
  echo "$1" >&2
  exit 1
}

# As curl's configuration has a string in quotes.
quoted() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Sets `status` and `reply`. Everything goes by standard input: anybody can read a command's arguments.
request() { # AUTHORIZATION METHOD PATH [BODY]
  local answer
  answer=$(
    curl --disable --config - <<END
silent
show-error
max-time = 20
$1
request = $(quoted "$2")
url = $(quoted "$GRAFANA_URL$3")
header = "Content-Type: application/json"
${4+data-raw = $(quoted "$4")}
write-out = "\n%{http_code}"
END
  ) || answer=$'\n000'
  status=${answer##*$'\n'}
  reply=${answer%$'\n'*}
}

password=$(<"$CREDENTIALS_DIRECTORY/admin-password")
admin="user = $(quoted "admin:$password")"

for ((second = 0; ; second++)); do
  request "" GET /api/health 2>/dev/null
  [[ $status == 200 ]] && break
  ((second < 60)) || fail "Grafana does not answer at $GRAFANA_URL"
  sleep 1
done

remove_account() {
  request "$admin" GET "/api/serviceaccounts/search?perpage=100&query=$account"
  case $status in
  200) ;;
  401) fail "Grafana refuses the password of \`admin\`: write the one that it has into the file that rk1.grafana.adminPasswordFile names" ;;
  *) fail "Grafana does not list its service accounts: HTTP status $status" ;;
  esac
  local id
  for id in $(jq --arg name "$account" '.serviceAccounts[] | select(.name == $name).id' <<<"$reply"); do
    request "$admin" DELETE "/api/serviceaccounts/$id"
    [[ $status == 200 ]] || fail "Grafana keeps the old service account: HTTP status $status"
  done
}

# The least role that may push. Any signed-in identity could, until `live:push` was given to editors and
# administrators alone; older versions have no role `None`.
for role in None Viewer Editor; do
  # With an account go its tokens: the old one is worth nothing from here on.
  remove_account
  request "$admin" POST /api/serviceaccounts "{\"name\":\"$account\",\"role\":\"$role\"}"
  if [[ $status == 400 ]]; then
    continue
  fi
  [[ $status == 201 ]] || fail "Grafana makes no service account: HTTP status $status"
  id=$(jq --exit-status .id <<<"$reply")

  request "$admin" POST "/api/serviceaccounts/$id/tokens" '{"name":"push"}'
  [[ $status == 200 ]] || fail "Grafana makes no token: HTTP status $status"
  token=$(jq --exit-status --raw-output .key <<<"$reply")

  request "header = $(quoted "Authorization: Bearer $token")" POST "/api/live/push/$account" 'token works=true'
  case $status in
  200)
    printf '%s\n' "$token" >"$TOKEN_FILE.new"
    sync "$TOKEN_FILE.new"
    mv "$TOKEN_FILE.new" "$TOKEN_FILE"
    echo "made a token for the role $role" >&2
    exit 0
    ;;
  401 | 403) ;;
  *) fail "Grafana takes no push: HTTP status $status" ;;
  esac
done

remove_account
fail "no role of Grafana's may push: give \`live:push\` to the role Editor"
