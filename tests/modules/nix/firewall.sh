#!/usr/bin/env bash
# Plays a node's firewall in network namespaces and prints which ports each client reaches (root).
#
# Usage: firewall.sh PREFIX RULES TCP_PORTS, with the rules of networking.firewall.extraCommands in the file RULES and the
# ports of allowedTCPPorts. Nothing listens: a port that is open refuses the connection at once, a closed one is silent.
set -o errexit -o nounset -o pipefail

prefix=$1 rules=$2 allowed=$3
node=172.16.10.221
clients=(server=172.16.10.222/24 agent=172.16.10.224/24 laptop=172.16.10.50/24 pod=10.42.3.7/24 elsewhere=192.168.1.9/24)
tcp=(2379 2380 4240 4244 6443 10250)
udp=(8472 51871)

clean_up() {
  local name
  for name in lan node "${clients[@]%%=*}"; do ip netns delete "$prefix-$name" 2>/dev/null || true; done
}
trap clean_up EXIT

# A namespace with an address, at the bridge of the network. Its default gateway is the bridge.
attach() {
  local name=$1 address=$2
  ip netns add "$prefix-$name"
  ip -n "$prefix-lan" link add "to-$name" type veth peer name eth0 netns "$prefix-$name"
  ip -n "$prefix-lan" link set "to-$name" master lan up
  ip -n "$prefix-$name" link set lo up
  ip -n "$prefix-$name" link set eth0 up
  ip -n "$prefix-$name" address add "$address" dev eth0
  ip -n "$prefix-$name" route add default via "${address%.*}.1"
}

ip netns add "$prefix-lan"
ip -n "$prefix-lan" link add lan type bridge
ip -n "$prefix-lan" link set lan up
for gateway in 172.16.10.1/24 10.42.3.1/24 192.168.1.1/24; do ip -n "$prefix-lan" address add "$gateway" dev lan; done
ip netns exec "$prefix-lan" sysctl --quiet --write net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
  net.ipv4.conf.lan.send_redirects=0
attach node "$node/24"
for client in "${clients[@]}"; do attach "${client%%=*}" "${client#*=}"; done

# The chains around the rules are those of nixos/modules/services/networking/firewall-iptables.nix.
ip netns exec "$prefix-node" bash -o errexit -s "$rules" "$allowed" <<'NODE'
iptables() { command iptables -w "$@"; }
iptables -N nixos-fw-accept
iptables -A nixos-fw-accept -j ACCEPT
iptables -N nixos-fw
iptables -A nixos-fw -i lo -j nixos-fw-accept
iptables -A nixos-fw -m conntrack --ctstate ESTABLISHED,RELATED -j nixos-fw-accept
for port in $2; do iptables -A nixos-fw -p tcp --dport "$port" -j nixos-fw-accept; done
source "$1"
iptables -A nixos-fw -j DROP
iptables -A INPUT -j nixos-fw
# Answers to closed ports are not to be rationed.
sysctl --quiet --write net.ipv4.icmp_ratelimit=0
NODE

# One line for each port: open, or closed.
probe() {
  local name=$1 port result
  for port in "${tcp[@]}"; do
    result=closed
    told=$(LC_ALL=C timeout 2 ip netns exec "$prefix-$name" bash -c ": </dev/tcp/$node/$port" 2>&1) || true
    [[ $told == *refused* ]] && result=open
    printf '%s %s/tcp %s\n' "$name" "$port" "$result"
  done
  for port in "${udp[@]}"; do
    result=closed
    # The answer to the first datagram is reported by the second.
    told=$(LC_ALL=C timeout 2 ip netns exec "$prefix-$name" bash -c "
      exec 3<>/dev/udp/$node/$port; printf a >&3; sleep 0.3; printf b >&3" 2>&1) || true
    [[ $told == *refused* ]] && result=open
    printf '%s %s/udp %s\n' "$name" "$port" "$result"
  done
}
for client in "${clients[@]}"; do probe "${client%%=*}" >"$rules.${client%%=*}" & done
wait
for client in "${clients[@]}"; do cat "$rules.${client%%=*}"; done
