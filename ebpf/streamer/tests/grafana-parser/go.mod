module rk1/grafana-parser

go 1.21

require github.com/influxdata/line-protocol v0.0.0-20210922203350-b1ad95c89adf
