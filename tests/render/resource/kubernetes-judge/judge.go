package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apiservervalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// judge does what the API server does on a create (customresource/strategy.go, customresource_handler.go): nulls and
// unknown keys are dropped, defaults filled in, then metadata, schema, lists and rules are validated.
func (c *catalog) judge(asked request) (*verdict, error) {
	given := &verdict{Refused: []refusal{}, Dropped: []string{}}
	text, err := yaml.YAMLToJSONStrict([]byte(asked.Document))
	if err != nil {
		given.refuse(err.Error())
		return given, nil
	}
	if asked.Echo {
		given.Read = text
	}
	var members map[string]interface{}
	if err := json.Unmarshal(text, &members); err != nil {
		given.refuse(err.Error())
		return given, nil
	}
	object := &unstructured.Unstructured{Object: members}
	apiVersion, _, apiVersionError := unstructured.NestedString(members, "apiVersion")
	kindName, _, kindError := unstructured.NestedString(members, "kind")
	if apiVersionError != nil || kindError != nil || apiVersion == "" || kindName == "" {
		given.refuse("apiVersion and kind are strings that each object has")
		return given, nil
	}
	if apiVersion == "v1" && kindName == "Namespace" {
		judgeNamespace(text, members, given)
		return given, nil
	}
	found, err := c.find(asked.Definitions, object.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if found == nil {
		given.refuse(fmt.Sprintf("no matches for kind %q in version %q", kindName, apiVersion))
		return given, nil
	}
	found.judge(object, given)
	return given, nil
}

func (k *kind) judge(object *unstructured.Unstructured, given *verdict) {
	members := object.Object
	if _, written := members["status"]; written && k.statusSubresource {
		given.Dropped = append(given.Dropped, "status")
		delete(members, "status")
	}
	metadata, isFound, unknown, err := objectmeta.GetObjectMetaWithOptions(members, objectmeta.ObjectMetaOptions{
		ReturnUnknownFieldPaths: true,
	})
	if err != nil {
		given.refuse(err.Error())
		return
	}
	given.Dropped = append(given.Dropped, unknown...)
	given.Dropped = append(given.Dropped, nulls("metadata", members["metadata"], nil)...)
	if isFound {
		if err := objectmeta.SetObjectMeta(members, metadata); err != nil {
			given.refuse(err.Error())
			return
		}
	}
	options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	given.Dropped = append(given.Dropped, pruning.PruneWithOptions(members, k.structural, true, options)...)
	given.Dropped = append(given.Dropped, nulls("", members, k.structural)...)
	defaulting.PruneNonNullableNullsWithoutDefaults(members, k.structural)
	defaulting.Default(members, k.structural)

	problems := validation.ValidateObjectMetaAccessor(
		object, k.namespaced, validation.NameIsDNSSubdomain, field.NewPath("metadata"))
	problems = append(problems, apiservervalidation.ValidateCustomResource(nil, members, k.schema)...)
	problems = append(problems, objectmeta.Validate(nil, members, k.structural, false)...)
	problems = append(problems, listtype.ValidateListSetsAndMaps(nil, k.structural, members)...)
	given.refuseAll(problems, false)
	if k.rules != nil && !blocksRules(problems) {
		broken, _ := k.rules.Validate(
			context.Background(), nil, k.structural, members, nil, celconfig.RuntimeCELCostBudget)
		given.refuseAll(broken, true)
	}
}

// blocksRules is hasBlockingErr of customresource/strategy.go.
func blocksRules(problems field.ErrorList) bool {
	for _, problem := range problems {
		switch problem.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong,
			field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}

// nulls lists the nulls that the server drops or replaces by a default, before it does so.
func nulls(path string, value interface{}, schema *structuralschema.Structural) []string {
	var found []string
	switch value := value.(type) {
	case nil:
		if schema == nil || !schema.Nullable {
			return []string{path + " is null"}
		}
	case map[string]interface{}:
		for key, member := range value {
			if path == "" && key == "metadata" {
				continue
			}
			found = append(found, nulls(path+"."+key, member, memberSchema(schema, key))...)
		}
	case []interface{}:
		for index, item := range value {
			var items *structuralschema.Structural
			if schema != nil {
				items = schema.Items
			}
			found = append(found, nulls(fmt.Sprintf("%s[%d]", path, index), item, items)...)
		}
	}
	return found
}

func memberSchema(schema *structuralschema.Structural, key string) *structuralschema.Structural {
	if schema == nil {
		return nil
	}
	if property, ok := schema.Properties[key]; ok {
		return &property
	}
	if schema.AdditionalProperties != nil {
		return schema.AdditionalProperties.Structural
	}
	return nil
}

// judgeNamespace takes the one kind of Kubernetes itself that is rendered.
func judgeNamespace(text []byte, members map[string]interface{}, given *verdict) {
	var namespace corev1.Namespace
	unknown, err := kjson.UnmarshalStrict(text, &namespace)
	if err != nil {
		given.refuse(err.Error())
		return
	}
	for _, key := range unknown {
		given.Dropped = append(given.Dropped, key.Error())
	}
	given.Dropped = append(given.Dropped, nulls("", members, nil)...)
	problems := validation.ValidateObjectMeta(
		&namespace.ObjectMeta, false, validation.ValidateNamespaceName, field.NewPath("metadata"))
	given.refuseAll(problems, false)
}
