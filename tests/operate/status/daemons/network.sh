#!/bin/sh
# A router that runs FRR or BIRD with its rendered file, and two nodes that announce the gateway's two addresses, each in a
# network namespace of its own. Says "ready", and ends when its standard input does.
#   network.sh FOLDER frr|bird FILE
set -eu
PATH=$PATH:/usr/lib/frr:/usr/libexec/frr:/usr/sbin:/sbin
folder=$1 daemon=$2 file=$3
log=$folder/log
# FRR keeps a folder for each process there, by a number that means something only here.
mount -t tmpfs none /var/tmp

# Its port in the bridge has the node's number.
node() {
  ip link add "to$1" type veth peer name eth0 netns "$2"
  ip link set "to$1" master lan up
  nsenter --net --target "$2" ip link set lo up
  nsenter --net --target "$2" ip link set eth0 up
  nsenter --net --target "$2" ip address add "172.16.10.$1/24" dev eth0
  nsenter --net --target "$2" ip address add "fd00:172:16:10::$1/64" dev eth0 nodad
  cat >"$folder/$1.conf" <<CONF
router id 172.16.10.$1;
protocol device {}
protocol static { ipv4; route 10.200.200.1/32 blackhole; }
protocol static { ipv6; route fd00:10:200:200::1/128 blackhole; }
template bgp speaker {
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
}
protocol bgp over_ipv4 from speaker {
  local 172.16.10.$1 as 64512;
  neighbor 172.16.10.1 as 64512;
  ipv4 { import none; export all; next hop self; };
}
protocol bgp over_ipv6 from speaker {
  local fd00:172:16:10::$1 as 64512;
  neighbor fd00:172:16:10::1 as 64512;
  ipv6 { import none; export all; next hop self; };
}
CONF
  nsenter --net --target "$2" bird -c "$folder/$1.conf" -s "$folder/$1.ctl" -P "$folder/$1.pid"
}

ip link set lo up
ip link add lan type bridge
ip link set lan up
ip address add 172.16.10.1/24 dev lan
ip address add fd00:172:16:10::1/64 dev lan nodad
for number in 221 222; do
  unshare --net sleep infinity &
  holder=$!
  while [ "$(readlink "/proc/$holder/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
  node "$number" "$holder"
done

case $daemon in
  frr)
    own="-u frr -g frr -z $folder/zserv.api --vty_socket $folder/ -P 0"
    # shellcheck disable=SC2086
    zebra -d -i "$folder/zebra.pid" $own >>"$log" 2>&1
    while [ ! -S "$folder/zebra.vty" ]; do sleep 0.1; done
    # shellcheck disable=SC2086
    bgpd -d -i "$folder/bgpd.pid" $own >>"$log" 2>&1
    while [ ! -S "$folder/bgpd.vty" ]; do sleep 0.1; done
    vtysh --vty_socket "$folder/" -f "$file" >&2
    ;;
  bird)
    printf 'router id 172.16.10.1;\ninclude "%s";\n' "$file" >"$folder/bird.conf"
    bird -c "$folder/bird.conf" -s "$folder/bird.ctl" -P "$folder/bird.pid" >&2
    ;;
esac
echo ready
cat >/dev/null
