// Renders the templates of a Helm chart the way `helm template` does, for machines without helm: Go's text/template with the
// functions that Helm adds, over the same libraries (sprig, sigs.k8s.io/yaml). No sub-charts, no look-ups in a cluster.
// Stricter than helm: a value that does not exist is an error, as with `helm lint --strict`.
//
//	render [--notes] CHART RELEASE [VALUES.yaml...]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

// The API versions that a cluster says it has.
type apiVersions []string

func (versions apiVersions) Has(wanted string) bool {
	for _, version := range versions {
		if version == wanted {
			return true
		}
	}
	return false
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func load(path string) object {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	values := object{}
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		fail("%s: %v", path, err)
	}
	return values
}

// As helm does: mappings are merged, null takes a default away, everything else is replaced.
func merge(into, from object) object {
	for key, value := range from {
		if value == nil {
			delete(into, key)
			continue
		}
		if below, ok := value.(object); ok {
			if has, ok := into[key].(object); ok {
				into[key] = merge(has, below)
				continue
			}
		}
		into[key] = value
	}
	return into
}

func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	// Helm takes these two away: a chart must not read the machine it is rendered on.
	delete(all, "env")
	delete(all, "expandenv")
	execute := func(t *template.Template, name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := t.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(text), "\n")
	}
	all["fromYaml"] = func(text string) object {
		values := object{}
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			values["Error"] = err.Error()
		}
		return values
	}
	all["toJson"] = func(value interface{}) string {
		text, err := json.Marshal(value)
		if err != nil {
			return ""
		}
		return string(text)
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if text, ok := value.(string); value == nil || (ok && text == "") {
			return nil, errors.New(message)
		}
		return value, nil
	}
	all["lookup"] = func(string, string, string, string) object { return object{} }
	all["include"] = func(name string, data interface{}) (string, error) { return execute(root, name, data) }
	all["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		if _, err := clone.New("tpl").Parse(text); err != nil {
			return "", err
		}
		return execute(clone, "tpl", data)
	}
	return all
}

func titled(chart object) object {
	out := object{}
	for key, value := range chart {
		out[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return out
}

// The paths of the chart's templates, relative to the chart.
func templates(chart string) []string {
	var paths []string
	err := filepath.Walk(filepath.Join(chart, "templates"), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			relative, _ := filepath.Rel(chart, path)
			paths = append(paths, relative)
		}
		return err
	})
	if err != nil {
		fail("%v", err)
	}
	sort.Strings(paths)
	return paths
}

func main() {
	args := os.Args[1:]
	notes := len(args) > 0 && args[0] == "--notes"
	if notes {
		args = args[1:]
	}
	if len(args) < 2 {
		fail("usage: render [--notes] CHART RELEASE [VALUES.yaml...]")
	}
	dir, release := args[0], args[1]
	chart := load(filepath.Join(dir, "Chart.yaml"))
	for _, key := range []string{"apiVersion", "name", "version"} {
		if chart[key] == nil {
			fail("Chart.yaml: %s is required", key)
		}
	}
	values := load(filepath.Join(dir, "values.yaml"))
	for _, path := range args[2:] {
		values = merge(values, load(path))
	}

	root := template.New("chart").Option("missingkey=error")
	root.Funcs(functions(root))
	var outputs []string
	for _, path := range templates(dir) {
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			fail("%v", err)
		}
		if _, err := root.New(path).Parse(string(text)); err != nil {
			fail("parse: %v", err)
		}
		if !strings.HasPrefix(filepath.Base(path), "_") && strings.HasSuffix(path, ".txt") == notes {
			outputs = append(outputs, path)
		}
	}

	failed := false
	for _, path := range outputs {
		data := object{
			"Values":   values,
			"Chart":    titled(chart),
			"Template": object{"Name": path, "BasePath": "templates"},
			"Release":  object{"Name": release, "Namespace": "default", "Service": "Helm", "Revision": 1, "IsInstall": true, "IsUpgrade": false},
			"Capabilities": object{
				"KubeVersion": object{"Version": "v1.30.0", "Major": "1", "Minor": "30"},
				"APIVersions": apiVersions{"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1", "autoscaling/v2"},
			},
		}
		var out bytes.Buffer
		if err := root.ExecuteTemplate(&out, path, data); err != nil {
			fmt.Fprintf(os.Stderr, "render: %v\n", err)
			failed = true
			continue
		}
		if notes {
			fmt.Print(out.String())
			continue
		}
		for _, document := range strings.Split("\n"+out.String(), "\n---") {
			if strings.TrimSpace(document) == "" {
				continue
			}
			parsed := object{}
			// Strict: a key that is there twice is an error.
			if err := yaml.UnmarshalStrict([]byte(document), &parsed); err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", path, err, document)
				failed = true
				continue
			}
			if len(parsed) > 0 {
				fmt.Printf("---\n# Source: %s/%s\n%s\n", chart["name"], path, strings.TrimSpace(document))
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}
