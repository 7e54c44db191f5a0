// Command chart prints the objects that Helm 3, which k3s runs in its jobs, makes from a chart's folder and the values on
// standard input. Each object is one line of JSON.
//
//	chart NAME NAMESPACE FOLDER [APIVERSION/KIND ...] < values.yaml
//
// The further arguments are kinds that the cluster knows, for charts that ask for them.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

func run() error {
	if len(os.Args) < 4 {
		return fmt.Errorf("usage: chart NAME NAMESPACE FOLDER [APIVERSION/KIND ...]")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	values, err := chartutil.ReadValues(text)
	if err != nil {
		return err
	}
	chart, err := loader.Load(os.Args[3])
	if err != nil {
		return err
	}
	if err := chartutil.ProcessDependencies(chart, values); err != nil {
		return err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	capabilities.APIVersions = append(capabilities.APIVersions, os.Args[4:]...)
	release := chartutil.ReleaseOptions{Name: os.Args[1], Namespace: os.Args[2], Revision: 1, IsInstall: true}
	input, err := chartutil.ToRenderValues(chart, values, release, capabilities)
	if err != nil {
		return err
	}
	files, err := engine.Render(chart, input)
	if err != nil {
		return err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	var texts []string
	for _, crd := range chart.CRDObjects() {
		texts = append(texts, string(crd.File.Data))
	}
	// Objects of hooks, such as the chart's tests, are left out.
	_, manifests, err := releaseutil.SortManifests(files, capabilities.APIVersions, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	for _, manifest := range manifests {
		texts = append(texts, manifest.Content)
	}
	for _, text := range texts {
		object, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			return err
		}
		if string(object) != "null" {
			fmt.Printf("%s\n", object)
		}
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
