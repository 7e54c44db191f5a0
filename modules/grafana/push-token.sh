set -o errexit -o nounset -o pipefail
umask 0077

account=xdp-streamer

fail() {
  echo "$1" >&2
  exit 1
}

# quoted TEXT: prints a quoted string of curl's configuration format.
quoted() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Sends a request and sets `status` and `reply`. curl reads everything from standard input, since every process can read a
# command's arguments.
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

# The answer may come from another program than Grafana: its parts are checked before they are used.
check_id() {
  [[ $id =~ ^[0-9]+$ ]] || fail "Grafana returns \`${id:0:40}\` as the ID of a service account"
}

remove_account() {
  request "$admin" GET "/api/serviceaccounts/search?perpage=100&query=$account"
  case $status in
  200) ;;
  401) fail "Grafana refuses the password of \`admin\`: write its current password to the file of rk1.grafana.adminPasswordFile" ;;
  *) fail "Grafana does not list its service accounts: HTTP status $status" ;;
  esac
  local id
  for id in $(jq --arg name "$account" '.serviceAccounts[] | select(.name == $name).id' <<<"$reply"); do
    check_id
    request "$admin" DELETE "/api/serviceaccounts/$id"
    [[ $status == 200 ]] || fail "Grafana does not delete the old service account: HTTP status $status"
  done
}

# Finds the least role that may push. Older versions of Grafana let every signed-in identity push and have no role `None`;
# newer ones grant `live:push` to editors and administrators only.
for role in None Viewer Editor; do
  # Deleting the account revokes its tokens: the old token stops working here.
  remove_account
  request "$admin" POST /api/serviceaccounts "{\"name\":\"$account\",\"role\":\"$role\"}"
  if [[ $status == 400 ]]; then
    continue
  fi
  [[ $status == 201 ]] || fail "Grafana does not create a service account: HTTP status $status"
  id=$(jq --exit-status .id <<<"$reply")
  check_id

  request "$admin" POST "/api/serviceaccounts/$id/tokens" '{"name":"push"}'
  [[ $status == 200 ]] || fail "Grafana does not create a token: HTTP status $status"
  token=$(jq --exit-status --raw-output .key <<<"$reply")
  [[ $token =~ ^[A-Za-z0-9_-]+$ ]] || fail "Grafana returns a token with other characters than letters, digits, \`_\` and \`-\`"

  request "header = $(quoted "Authorization: Bearer $token")" POST "/api/live/push/$account" 'token works=true'
  case $status in
  200)
    printf '%s\n' "$token" >"$TOKEN_FILE.new"
    sync "$TOKEN_FILE.new"
    mv "$TOKEN_FILE.new" "$TOKEN_FILE"
    echo "created a token with the role $role" >&2
    exit 0
    ;;
  401 | 403) ;;
  *) fail "Grafana does not accept a push: HTTP status $status" ;;
  esac
done

remove_account
fail "no role of Grafana may push: grant \`live:push\` to the role Editor"
