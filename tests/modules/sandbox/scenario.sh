# Runs in the container. The test compares its output.
set -o nounset
server=/var/lib/rancher/k3s/server
secrets=/var/lib/rk1/secrets
overrides=/run/systemd/system

files() {
  find "$@" -mindepth 1 ! -type d -printf '  %M %u %p %l\n' 2>/dev/null | sort --key 3 | sed 's/ *$//'
}
# Starts a unit, and prints how it ended, what it said and which files it has changed.
play() {
  local unit=$1
  files /etc/ssh /etc/rancher /mnt/data /var/lib/rancher $secrets >/tmp/before
  systemctl start "$unit"
  echo "$unit: $(systemctl show --property Result,ExecMainStatus --value "$unit" | paste -sd ' ')"
  [[ ! -e /out/said/$unit ]] || sed 's/^/    /' "/out/said/$unit"
  files /etc/ssh /etc/rancher /mnt/data /var/lib/rancher $secrets >/tmp/after
  diff /tmp/before /tmp/after | grep '^[<>]' | sed 's/^/  /'
}

# A fresh image has none of the folders, and here no seed.
rm -rf /etc/ssh $secrets
play node-secrets.service
find /etc/ssh $secrets -maxdepth 0 -printf '  %M %u %p\n'

# As `rk1 flash` and k3s leave a node.
install --directory --mode 0700 $secrets /var/lib/kubelet $server/manifests $server/static/charts /root
install --directory /mnt/data /etc/ssh /etc/rancher/k3s /run/systemd/timesync /nix/store
(
  umask 0077
  echo token >$server/token
  echo token >$secrets/k3s-token
  echo config >/etc/rancher/k3s/k3s.yaml
  echo volume >/var/lib/kubelet/volume
  echo private >/root/private
  echo key >/etc/ssh/ssh_host_ed25519_key
  printf 'p4ss\n' >$secrets/azure-dns
  printf -- '-----BEGIN %s-----\nAAAA\n-----END %s-----\n' CERTIFICATE CERTIFICATE 'EC PRIVATE KEY' 'EC PRIVATE KEY' >$secrets/k3s-server-ca
  ln -s /nix/store/old $server/manifests/90-old.yaml
  ln -s /nix/store/new $server/manifests/10-cilium.yaml
  echo own >$server/manifests/own.yaml
  ln -s /nix/store/old.tgz $server/static/charts/old.tgz
)
sleep infinity &
echo $! >/out/other
ip link set lo up
ip address add 192.0.2.1/32 dev lo
systemctl start api-server.socket grafana-server.socket

: >/run/systemd/timesync/synchronized
play clock-synchronized.service
play grafana-secrets.service
play grafana-push-token.service
play k3s-server-ca.service
play retire-manifests.service
play kubernetes-secret-azure-dns-secret.service
play remove-retired-manifests.service
play rk1-storage-directories.service
find /mnt/data -mindepth 1 -type d -printf '  %M %u %p\n' | sort
systemctl start xdp-streamer.service
before=$(systemctl show --property InvocationID --value xdp-streamer.service)
play streamer-token.service
for ((try = 0; try < 100; try++)); do
  [[ $(systemctl show --property InvocationID --value xdp-streamer.service) == "$before" ]] || break
  sleep 0.1
done
[[ $(systemctl show --property InvocationID --value xdp-streamer.service) == "$before" ]] || echo "  restarted the streamer"
systemctl stop xdp-streamer.service
play rk1-storage-late.service
for ((try = 0; try < 100; try++)); do systemctl is-active --quiet k3s.service && break; sleep 0.1; done
systemctl is-active --quiet k3s.service && echo "  started k3s"

echo
echo "within the restrictions of each unit, a compromised service"
for file in /etc/systemd/system/*.service; do
  unit=${file##*/}
  case $unit in
  check.service | k3s.service | api-server* | grafana-server* | rk1-guard.service | register-store.service) continue ;;
  esac
  systemctl stop "$unit" 2>/dev/null
  mkdir -p "$overrides/$unit.d"
  cat >"$overrides/$unit.d/probe.conf" <<END
[Unit]
ConditionPathExists=
ConditionPathIsMountPoint=
[Service]
Type=oneshot
RemainAfterExit=no
Restart=no
WatchdogSec=0
ExecStartPre=
ExecStart=
ExecStart=/bin/bash /opt/bin/probe
StandardOutput=append:/out/said/probe-$unit
StandardError=null
END
done
systemctl daemon-reload
for file in "$overrides"/*.service.d; do
  unit=${file##*/}
  unit=${unit%.d}
  systemctl start "$unit" || echo "  $unit: $(systemctl show --property Result,ExecMainStatus --value "$unit" | paste -sd ' ')"
  echo "  $unit"
  cat "/out/said/probe-$unit"
done
