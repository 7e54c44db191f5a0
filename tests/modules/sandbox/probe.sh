# Tries what a compromised service would try, within the restrictions of one, and prints what worked.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
may() { # NAME COMMAND...
  local name=$1
  shift
  if ("$@") &>/dev/null; then printf ' %s' "$name"; fi
}
reads() { head --bytes 1 "$1"; }
writes() { echo >"$1/probe" && rm "$1/probe"; }
# A packet that is dropped gets no answer.
connects() { timeout 1 bash -c ": 3<>/dev/tcp/$1"; }

printf '    reads:'
may k3s reads /var/lib/rancher/k3s/server/token
may kubeconfig reads /etc/rancher/k3s/k3s.yaml
may secrets reads /var/lib/rk1/secrets/k3s-token
may kubelet reads /var/lib/kubelet/volume
may home reads /root/private
may host-key reads /etc/ssh/ssh_host_ed25519_key
printf '\n    writes:'
may k3s writes /var/lib/rancher/k3s/server
may secrets writes /var/lib/rk1/secrets
may data-disk writes /mnt/data
may etc writes /etc
may ssh writes /etc/ssh
may var-lib writes /var/lib
may run writes /run
may tmp writes /tmp
may kernel bash -c 'echo 1 >/proc/sys/kernel/printk'
may cgroup mkdir /sys/fs/cgroup/probe
printf '\n    connects:'
may api-server connects 127.0.0.1/6443
may lan connects 192.0.2.1/6443
may systemd systemctl show --property Version
printf '\n    does:'
may mount mount -t tmpfs none /mnt
may namespace unshare --mount true
may chroot chroot / true
may node mknod /tmp/null c 1 3
may set-user-id bash -c 'cp /usr/bin/true /tmp/probe && chmod u+s /tmp/probe'
may chown bash -c ': >/tmp/probe && chown 1 /tmp/probe'
may host-name hostname "$(hostname)"
may clock date --set "$(date)"
may signal-root bash -c 'kill -0 "$(</out/other)"'
may realtime chrt --fifo 1 true
may personality setarch --addr-no-randomize true
echo
