#!/usr/bin/env bash
# Measures what WireGuard costs pods' traffic between nodes: TCP through VXLAN alone, and through VXLAN in WireGuard, over a
# veth pair between two network namespaces (root; iproute2, iperf3, wireguard-tools; a kernel with WireGuard). Where the
# kernel has none, wireguard-go does the same in user space, at a higher price.
#
# Usage: benches/encryption.sh [ROUNDS [SECONDS]]
#
# The cases take turns. Each line has the throughput in Mbit/s, and the processor time of the whole machine in seconds for
# each gigabyte, of one round; the last lines have the medians and their ratio.
set -o errexit -o nounset -o pipefail

rounds=${1:-7} seconds=${2:-3}
umask 077
work=$(mktemp --directory)
namespaces=("rk1-bench-$$-a" "rk1-bench-$$-b")

clean_up() {
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  local name
  for name in "${namespaces[@]}"; do ip netns delete "$name" 2>/dev/null || true; done
  rm --recursive --force "$work"
}
trap clean_up EXIT

# The MTUs of Cilium (pkg/mtu/mtu.go): 50 bytes for VXLAN, 95 for WireGuard.
mtu_plain=1450 mtu_encrypted=1355

for name in "${namespaces[@]}"; do
  ip netns add "$name"
  ip -n "$name" link set lo up
done
a=${namespaces[0]} b=${namespaces[1]}
ip -n "$a" link add eth0 type veth peer name eth0 netns "$b"
for side in a b; do wg genkey >"$work/$side.key"; wg pubkey <"$work/$side.key" >"$work/$side.pub"; done

# A device of WireGuard in a namespace. Those of wireguard-go have a socket each, by their names, in one folder.
add_wireguard() {
  local name=$1 device=$2
  ip -n "$name" link add "$device" type wireguard 2>/dev/null && return
  printf 'the kernel has no WireGuard: wireguard-go in user space\n' >&2
  ip netns exec "$name" env WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 wireguard-go --foreground "$device" \
    >/dev/null 2>&1 &
  until ip netns exec "$name" wg show "$device" >/dev/null 2>&1; do sleep 0.1; done
}

# One side: its own number, that of the other, and the other's public key. The outer addresses are 192.0.2.N; WireGuard
# carries 198.51.100.N, between which the second VXLAN runs.
setup() {
  local name=$1 own=$2 other=$3 side=$4 peer=$5
  ip -n "$name" address add "192.0.2.$own/24" dev eth0
  ip -n "$name" link set eth0 up
  local device=wg-$side
  add_wireguard "$name" "$device"
  ip netns exec "$name" wg set "$device" private-key "$work/$side.key" listen-port 51871 \
    peer "$(<"$work/$peer.pub")" allowed-ips "198.51.100.$other/32" endpoint "192.0.2.$other:51871"
  ip -n "$name" address add "198.51.100.$own/24" dev "$device"
  ip -n "$name" link set "$device" mtu 1420 up
  ip -n "$name" link add plain mtu "$mtu_plain" type vxlan id 1 dstport 8472 local "192.0.2.$own" remote "192.0.2.$other"
  ip -n "$name" address add "10.1.0.$own/24" dev plain
  ip -n "$name" link set plain up
  ip -n "$name" link add encrypted mtu "$mtu_encrypted" type vxlan id 2 dstport 8473 \
    local "198.51.100.$own" remote "198.51.100.$other"
  ip -n "$name" address add "10.2.0.$own/24" dev encrypted
  ip -n "$name" link set encrypted up
}
setup "$a" 1 2 a b
setup "$b" 2 1 b a

ip netns exec "$b" iperf3 --server >/dev/null &
until ip netns exec "$b" ss --no-header --listening --tcp --numeric 'sport = 5201' | grep --quiet .; do sleep 0.1; done

# Clock ticks that the machine's processors were not idle.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# Megabits a second, and seconds of processor time for each gigabyte.
run() {
  local target=$1 before after bytes
  before=$(busy)
  bytes=$(ip netns exec "$a" iperf3 --client "$target" --time "$seconds" --json |
    sed --quiet '/"sum_received"/,/}/s/.*"bytes":\s*\([0-9]*\).*/\1/p')
  after=$(busy)
  awk -v bytes="$bytes" -v ticks=$((after - before)) -v seconds="$seconds" -v hertz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.0f %.2f\n", bytes * 8 / seconds / 1e6, ticks / hertz / (bytes / 1e9) }'
}

median() { sort --numeric-sort | awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'; }

for ((round = 0; round < rounds; round++)); do
  for case in plain=10.1.0.2 encrypted=10.2.0.2; do
    result=$(run "${case#*=}")
    printf '%s %s\n' "${case%%=*}" "$result"
    printf '%s\n' "$result" >>"$work/${case%%=*}"
  done
done
for case in plain encrypted; do
  printf 'median %s: %s Mbit/s, %s s/GB\n' "$case" "$(cut --delimiter=' ' --fields=1 "$work/$case" | median)" \
    "$(cut --delimiter=' ' --fields=2 "$work/$case" | median)"
done
