package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	admv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// admit reads {"policy": ..., "pod": ...} and writes the pod that the API server would make of it, or null.
func admit() {
	var input struct {
		Policy admv1.MutatingAdmissionPolicy `json:"policy"`
		Pod    corev1.Pod                    `json:"pod"`
	}
	must(0, yaml.UnmarshalStrict(must(io.ReadAll(os.Stdin)), &input))
	spec := input.Policy.Spec
	opts := plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
	compiler := must(plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())))
	var variables []plugincel.NamedExpressionAccessor
	for _, v := range spec.Variables {
		variables = append(variables, &validating.Variable{Name: v.Name, Expression: v.Expression})
	}
	compiler.CompileAndStoreVariables(variables, opts, environment.StoredExpressions)

	gvk := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	gvr := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	pod := &input.Pod
	pod.SetGroupVersionKind(gvk)
	attributes := admission.NewAttributesRecord(pod, nil, gvk, "apps", pod.Name, gvr, "", admission.Create, nil, false, nil)
	interfaces := admission.NewObjectInterfacesFromScheme(scheme.Scheme)
	versioned := must(admission.NewVersionedAttributes(attributes, gvk, interfaces))
	ctx := context.Background()

	var conditions []plugincel.ExpressionAccessor
	for i := range spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&spec.MatchConditions[i]))
	}
	matcher := matchconditions.NewMatcher(compiler.CompileCondition(conditions, opts, environment.StoredExpressions), spec.FailurePolicy, "policy", "validate", input.Policy.Name)
	ctx = compiler.CreateContext(ctx)
	result := matcher.Match(ctx, versioned, nil, nil)
	must(0, result.Error)
	if !result.Matches {
		fmt.Println("null")
		return
	}
	opts.HasPatchTypes = true
	for _, mutation := range spec.Mutations {
		evaluator := compiler.CompileMutatingEvaluator(&patch.JSONPatchCondition{Expression: mutation.JSONPatch.Expression}, opts, environment.StoredExpressions)
		request := patch.Request{MatchedResource: gvr, VersionedAttributes: versioned, ObjectInterfaces: interfaces}
		versioned.VersionedObject.Set(must(patch.NewJSONPatcher(evaluator).Patch(ctx, request, celconfig.RuntimeCELCostBudget)))
	}
	must(0, json.NewEncoder(os.Stdout).Encode(versioned.VersionedObject.Object()))
}
