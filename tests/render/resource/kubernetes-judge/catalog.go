package main

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// A served version of a custom kind.
type kind struct {
	namespaced        bool
	statusSubresource bool
	structural        *structuralschema.Structural
	schema            validation.SchemaValidator
	rules             *cel.Validator
}

// The definitions read so far, by file.
type catalog struct {
	folder string
	files  map[string]map[schema.GroupVersionKind]*kind
}

func newCatalog(folder string) *catalog {
	return &catalog{folder: folder, files: map[string]map[schema.GroupVersionKind]*kind{}}
}

func (c *catalog) find(files []string, wanted schema.GroupVersionKind) (*kind, error) {
	for _, file := range files {
		kinds, ok := c.files[file]
		if !ok {
			var err error
			if kinds, err = readDefinition(filepath.Join(c.folder, file)); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			c.files[file] = kinds
		}
		if found, ok := kinds[wanted]; ok {
			return found, nil
		}
	}
	return nil, nil
}

func readDefinition(path string) (map[schema.GroupVersionKind]*kind, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		return nil, err
	}
	kinds := map[schema.GroupVersionKind]*kind{}
	for _, version := range definition.Spec.Versions {
		if !version.Served {
			continue
		}
		read, err := newKind(version)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", version.Name, err)
		}
		read.namespaced = definition.Spec.Scope == apiextensionsv1.NamespaceScoped
		group, name := definition.Spec.Group, definition.Spec.Names.Kind
		kinds[schema.GroupVersionKind{Group: group, Version: version.Name, Kind: name}] = read
	}
	return kinds, nil
}

func newKind(version apiextensionsv1.CustomResourceDefinitionVersion) (*kind, error) {
	var internal apiextensions.JSONSchemaProps
	err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		version.Schema.OpenAPIV3Schema, &internal, nil)
	if err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	return &kind{
		statusSubresource: version.Subresources != nil && version.Subresources.Status != nil,
		structural:        structural,
		schema:            validator,
		rules:             cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}
