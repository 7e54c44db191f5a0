# As k3s takes what there is of each address family: the first is the one that services have by default.
ipv6: of4: of6:
if ipv6.enable then "${of4},${of6}" else of4
