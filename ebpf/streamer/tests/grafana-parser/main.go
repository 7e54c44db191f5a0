// Parses line protocol from standard input with the parser that Grafana Live uses, as
// pkg/services/live/telegraf/convert.go of Grafana sets it up, and prints what it understood: a JSON array of
// {name, tags, fields: [[key, type, value]…], time}.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	influx "github.com/influxdata/line-protocol"
)

type metric struct {
	Name   string     `json:"name"`
	Tags   int        `json:"tags"`
	Fields [][]string `json:"fields"`
	Time   int64      `json:"time"`
}

func main() {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	parsed, err := influx.NewParser(influx.NewMetricHandler()).Parse(body)
	if err != nil {
		fail(err)
	}
	metrics := []metric{}
	for _, m := range parsed {
		one := metric{Name: m.Name(), Tags: len(m.TagList()), Time: m.Time().UnixNano()}
		for _, field := range m.FieldList() {
			one.Fields = append(one.Fields, []string{field.Key, fmt.Sprintf("%T", field.Value), fmt.Sprint(field.Value)})
		}
		metrics = append(metrics, one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(metrics); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
