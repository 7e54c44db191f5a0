# A pair of values as k3s's flags take them. Services get addresses of the first family by default.
ipv6: of4: of6:
if ipv6.enable then "${of4},${of6}" else of4
