# Undoes what mikrotik.rsc applied. Rendered by `rk1 render`.
# Apply it:
#   scp routers/mikrotik.remove.rsc admin@172.16.10.1:
#   ssh admin@172.16.10.1 /import mikrotik.remove.rsc

/routing/bgp/connection/remove [find name="rk1-01"]
/routing/bgp/connection/remove [find name="rk1-02"]
/routing/bgp/connection/remove [find name="rk1-03"]
/routing/bgp/connection/remove [find name="rk1-04"]
/routing/bgp/instance/remove [find name="rk1-turing-pi"]
/routing/filter/rule/remove [find chain="rk1-turing-pi-in"]
/ip/firewall/filter/remove [find comment="rk1: BGP from turing-pi"]
/ip/firewall/address-list/remove [find list="rk1-turing-pi"]
