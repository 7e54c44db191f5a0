// Command kubernetes-judge says what a Kubernetes API server would do with objects of custom kinds.
//
// It runs Kubernetes' own code (k8s.io/apiextensions-apiserver) over the full resource definitions: one request a line
// on standard input, one verdict a line on standard output, both JSON. The argument is the folder of the definitions.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

type request struct {
	// The files of the definitions that are installed, below the folder.
	Definitions []string `json:"definitions"`
	// YAML or JSON.
	Document string `json:"document"`
	// Whether the verdict shall show how the document was read.
	Echo bool `json:"echo"`
}

// A verdict. No problems: the server takes the object and keeps every key of it.
type verdict struct {
	// What makes the server refuse the object.
	Refused []refusal `json:"refused"`
	// What the server drops without a word.
	Dropped []string `json:"dropped"`
	// The document as it was read.
	Read json.RawMessage `json:"read,omitempty"`
}

type refusal struct {
	Path   string `json:"path"`
	Detail string `json:"detail"`
	// Whether a rule in CEL was broken.
	Rule bool `json:"rule"`
}

func (v *verdict) refuse(detail string) {
	v.Refused = append(v.Refused, refusal{Detail: detail})
}

func (v *verdict) refuseAll(problems field.ErrorList, rule bool) {
	for _, problem := range problems {
		v.Refused = append(v.Refused, refusal{Path: problem.Field, Detail: problem.Detail, Rule: rule})
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes-judge:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("name the folder of the definitions")
	}
	catalog := newCatalog(os.Args[1])
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	decoder := json.NewDecoder(input)
	output := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(output)
	for decoder.More() {
		var asked request
		if err := decoder.Decode(&asked); err != nil {
			return err
		}
		given, err := catalog.judge(asked)
		if err != nil {
			return err
		}
		if err := encoder.Encode(given); err != nil {
			return err
		}
	}
	return output.Flush()
}
