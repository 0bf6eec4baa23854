package main

import (
	"context"
	"encoding/json"
	"io"
	"os"

	admv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// warn reads {"policy": ..., "object": ...} and writes the messages of the policy's validations that fail.
func warn() {
	var input struct {
		Policy admv1.ValidatingAdmissionPolicy `json:"policy"`
		Object map[string]any                  `json:"object"`
	}
	must(0, yaml.Unmarshal(must(io.ReadAll(os.Stdin)), &input))
	spec := input.Policy.Spec
	opts := plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
	compiler := must(plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())))
	var variables []plugincel.NamedExpressionAccessor
	for _, v := range spec.Variables {
		variables = append(variables, &validating.Variable{Name: v.Name, Expression: v.Expression})
	}
	compiler.CompileAndStoreVariables(variables, opts, environment.StoredExpressions)
	var conditions []plugincel.ExpressionAccessor
	for _, v := range spec.Validations {
		conditions = append(conditions, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message})
	}
	evaluator := compiler.CompileCondition(conditions, opts, environment.StoredExpressions)

	object := &unstructured.Unstructured{Object: input.Object}
	gvk := object.GroupVersionKind()
	gvr := schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: "any"}
	attributes := admission.NewAttributesRecord(object, nil, gvk, "apps", object.GetName(), gvr, "", admission.Create, nil, false, nil)
	versioned := must(admission.NewVersionedAttributes(attributes, gvk, admission.NewObjectInterfacesFromScheme(scheme.Scheme)))
	ctx := compiler.CreateContext(context.Background())
	request := plugincel.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(gvr), metav1.GroupVersionKind(gvk))
	results, _, err := evaluator.ForInput(ctx, versioned, request, plugincel.OptionalVariableBindings{}, nil, celconfig.RuntimeCELCostBudget)
	must(0, err)
	messages := []string{}
	for i, result := range results {
		must(0, result.Error)
		if result.EvalResult.Value() != true {
			messages = append(messages, spec.Validations[i].Message)
		}
	}
	must(0, json.NewEncoder(os.Stdout).Encode(messages))
}
