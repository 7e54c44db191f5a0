# The router `mikrotik` of the cluster `turing-pi`, for RouterOS 7.22. Rendered by `rk1 render` from cluster.toml: edit that file, not this one.
#
# Apply it (as often as you like):
#   scp routers/mikrotik.rsc admin@172.16.10.1:
#   ssh -t admin@172.16.10.1, and there:
#     :global rk1password "…"
#     /import mikrotik.rsc
#     /system/script/environment/remove [find name=rk1password]
# The password of the sessions is in no file: this script reads it from the variable.
# Undo it: the same with mikrotik.remove.rsc

:global rk1password
:if ([:len $rk1password] = 0) do={ :error "the variable rk1password is not set: the head of this file says how" }

# Without a filter RouterOS accepts every route that a node announces, even a default route. This one accepts single
# addresses of the pool.
:if ([:len [/routing/filter/rule/find chain="rk1-turing-pi-in"]] = 0) do={
/routing/filter/rule/add chain="rk1-turing-pi-in" rule="reject"
}
/routing/filter/rule/set [find chain="rk1-turing-pi-in"] comment="rk1: the pool of turing-pi" disabled=no rule="if (dst in 10.200.200.0/24 && dst-len == 32) { accept } else { reject }"

# From 7.20 on each session belongs to an instance. Its `multipath` makes every node a next hop at once.
:if ([:len [/routing/bgp/instance/find name="rk1-turing-pi"]] = 0) do={
/routing/bgp/instance/add as=64513 name="rk1-turing-pi"
}
/routing/bgp/instance/set [find name="rk1-turing-pi"] as=64513 comment="rk1: the nodes of turing-pi" disabled=no multipath=4

# The sessions, with the commands of the original posts, adapted to this version. Each is added if there is none with its name.
# `output.default-originate` does nothing: Cilium installs no route that it receives.
:if ([:len [/routing/bgp/connection/find name="rk1-01"]] = 0) do={
routing/bgp/connection/ add afi=ip as=64513 disabled=no instance=rk1-turing-pi local.role=ebgp name=rk1-01 output.default-originate=always remote.address=172.16.10.221 routing-table=main
}
:if ([:len [/routing/bgp/connection/find name="rk1-02"]] = 0) do={
routing/bgp/connection/ add afi=ip as=64513 disabled=no instance=rk1-turing-pi local.role=ebgp name=rk1-02 output.default-originate=always remote.address=172.16.10.222 routing-table=main
}
:if ([:len [/routing/bgp/connection/find name="rk1-03"]] = 0) do={
routing/bgp/connection/ add afi=ip as=64513 disabled=no instance=rk1-turing-pi local.role=ebgp name=rk1-03 output.default-originate=always remote.address=172.16.10.223 routing-table=main
}
:if ([:len [/routing/bgp/connection/find name="rk1-04"]] = 0) do={
routing/bgp/connection/ add afi=ip as=64513 disabled=no instance=rk1-turing-pi local.role=ebgp name=rk1-04 output.default-originate=always remote.address=172.16.10.224 routing-table=main
}

# Settings that those commands leave open, or that may have changed since.
#   connect=no listen=yes   Cilium dials, and has no open port.
#   input.filter            the rule above.
#   hold-time               that of the nodes: the routes of a dead node are gone after this time.
#   remote.as               a peer with another number is refused.
#   use-bfd=no              Cilium has no BFD, and with it the session would never come up.
/routing/bgp/connection/set [find name="rk1-01"] as=64513 comment="rk1: node rk1-01 of turing-pi" connect=no disabled=no hold-time=9s input.filter="rk1-turing-pi-in" instance="rk1-turing-pi" keepalive-time=3s listen=yes local.role=ebgp remote.address=172.16.10.221 remote.as=64512 tcp-md5-key=$rk1password use-bfd=no
/routing/bgp/connection/set [find name="rk1-02"] as=64513 comment="rk1: node rk1-02 of turing-pi" connect=no disabled=no hold-time=9s input.filter="rk1-turing-pi-in" instance="rk1-turing-pi" keepalive-time=3s listen=yes local.role=ebgp remote.address=172.16.10.222 remote.as=64512 tcp-md5-key=$rk1password use-bfd=no
/routing/bgp/connection/set [find name="rk1-03"] as=64513 comment="rk1: node rk1-03 of turing-pi" connect=no disabled=no hold-time=9s input.filter="rk1-turing-pi-in" instance="rk1-turing-pi" keepalive-time=3s listen=yes local.role=ebgp remote.address=172.16.10.223 remote.as=64603 tcp-md5-key=$rk1password use-bfd=no
/routing/bgp/connection/set [find name="rk1-04"] as=64513 comment="rk1: node rk1-04 of turing-pi" connect=no disabled=no hold-time=9s input.filter="rk1-turing-pi-in" instance="rk1-turing-pi" keepalive-time=3s listen=yes local.role=ebgp remote.address=172.16.10.224 remote.as=64604 tcp-md5-key=$rk1password use-bfd=no

# The firewall's last rule drops all other connections, so the one for BGP from the nodes comes first.
:if ([:len [/ip/firewall/address-list/find address=172.16.10.221 list="rk1-turing-pi"]] = 0) do={
/ip/firewall/address-list/add address=172.16.10.221 comment="rk1: node rk1-01" list="rk1-turing-pi"
}
:if ([:len [/ip/firewall/address-list/find address=172.16.10.222 list="rk1-turing-pi"]] = 0) do={
/ip/firewall/address-list/add address=172.16.10.222 comment="rk1: node rk1-02" list="rk1-turing-pi"
}
:if ([:len [/ip/firewall/address-list/find address=172.16.10.223 list="rk1-turing-pi"]] = 0) do={
/ip/firewall/address-list/add address=172.16.10.223 comment="rk1: node rk1-03" list="rk1-turing-pi"
}
:if ([:len [/ip/firewall/address-list/find address=172.16.10.224 list="rk1-turing-pi"]] = 0) do={
/ip/firewall/address-list/add address=172.16.10.224 comment="rk1: node rk1-04" list="rk1-turing-pi"
}
:if ([:len [/ip/firewall/filter/find comment="rk1: BGP from turing-pi"]] = 0) do={
:if ([:len [/ip/firewall/filter/find chain=input dynamic=no]] = 0) do={
/ip/firewall/filter/add action=accept chain=input comment="rk1: BGP from turing-pi" dst-port=179 protocol=tcp src-address-list="rk1-turing-pi"
} else={
/ip/firewall/filter/add action=accept chain=input comment="rk1: BGP from turing-pi" dst-port=179 place-before=[:pick [/ip/firewall/filter/find chain=input dynamic=no] 0] protocol=tcp src-address-list="rk1-turing-pi"
}
}
