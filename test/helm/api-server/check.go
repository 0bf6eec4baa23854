package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// check reads a list of objects, and writes a list of what is wrong with them: fields that their kinds do not have,
// and pods that Pod Security "restricted" would refuse.
func check() {
	var objects []json.RawMessage
	must(0, json.Unmarshal(must(io.ReadAll(os.Stdin)), &objects))
	// Kinds of the Prometheus operator, by the types that its own definitions are made of.
	must(0, monitoringv1.AddToScheme(scheme.Scheme))
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	security := must(policy.NewEvaluator(policy.DefaultChecks(), nil))
	wrong := []string{}
	for _, text := range objects {
		object, kind, err := decoder.Decode(text, nil, nil)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		meta, spec := podOf(object)
		if spec == nil {
			continue
		}
		restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		result := policy.AggregateCheckResults(security.EvaluatePod(restricted, meta, spec))
		if !result.Allowed {
			wrong = append(wrong, fmt.Sprintf("%s: %s", kind.Kind, result.ForbiddenDetail()))
		}
	}
	must(0, json.NewEncoder(os.Stdout).Encode(wrong))
}

func podOf(object runtime.Object) (*metav1.ObjectMeta, *corev1.PodSpec) {
	switch o := object.(type) {
	case *corev1.Pod:
		return &o.ObjectMeta, &o.Spec
	case *appsv1.Deployment:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	case *appsv1.StatefulSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	}
	return nil, nil
}
