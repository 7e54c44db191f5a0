# Runs in the container. The test compares its output.
set -o nounset

unit=xdp-streamer.service
show() { systemctl show --property "$1" --value "$unit"; }
until_true() {
  for ((try = 0; try < 200; try++)); do
    "$@" && return
    sleep 0.1
  done
  echo "this never became true: $*"
}
is_up() { [[ $(show ActiveState) == active ]]; }
is_another() { is_up && [[ $(show MainPID) != "$1" ]]; }
mode() { ip link show dev host0 | grep --only-matching 'xdp[a-z]*' | head --lines 1; }
is_free() { [[ -z $(mode) ]]; }

ip address add 172.16.10.221/24 dev host0
ip link set host0 up
systemctl start streamer-token.path

echo "without a token"
systemctl start "$unit" 2>/dev/null || echo "  the unit does not start: status $(show ExecMainStatus)"

echo "with a token"
echo glsa_first >/var/lib/rk1/secrets/grafana-token
until_true is_up
first=$(show MainPID)
echo "  attached to the interface that has the address: $(mode)"
grep -E '^(Cap|NoNewPrivs|Seccomp:)' "/proc/$first/status" | sed 's/^/  /'
user=$(stat --format %u "/proc/$first")
((user >= 61184 && user <= 65519)) && echo "  a user of its own"
tr '\0' '\n' <"/proc/$first/environ" | grep CREDENTIALS | sed 's/^/  /'
tr '\0' ' ' <"/proc/$first/cmdline" | grep --count glsa | sed 's/^/  tokens in its arguments: /'

echo "with another token"
echo glsa_second >/var/lib/rk1/secrets/grafana-token
until_true is_another "$first"
echo "  it runs again: $(mode)"

echo "killed"
second=$(show MainPID)
kill -KILL "$second"
until_true is_free
echo "  nothing is left on the interface"
until_true is_another "$second"
echo "  it runs again: $(mode)"

echo "stopped"
systemctl stop "$unit"
left=$(mode)
echo "  $(show Result), on the interface: ${left:-nothing}"

echo "with files of whole packets"
ip address add 172.16.10.224/24 dev host0
ip neighbour add 172.16.10.9 lladdr 02:00:00:00:00:09 dev host0 nud permanent
unit=writer.service
systemctl start "$unit" 2>/dev/null || echo "  the unit does not start: status $(show ExecMainStatus)"
files=/var/lib/private/xdp-streamer
is_written() {
  echo "words of a datagram" >/dev/udp/172.16.10.9/9
  grep --quiet "words of a datagram" "$files"/*.pcapng
}
until_true is_written
echo "  a sent datagram is in the file"
grep '^Cap[EBA]' "/proc/$(show MainPID)/status" | sed 's/^/  /'
echo "  the mode of the file: $(stat --format %a "$files"/*.pcapng)"
systemctl stop "$unit"
echo "  $(show Result)"
