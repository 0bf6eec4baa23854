package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// check reads objects as YAML documents, as Helm and kubectl do, and writes a list of their problems: fields that their kinds do
// not have, values of the wrong type, invalid names and labels, and pods that Pod Security "restricted" would reject.
func check() {
	// Kinds of the Prometheus operator, by the types from which its own definitions are generated.
	must(0, monitoringv1.AddToScheme(scheme.Scheme))
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	security := must(policy.NewEvaluator(policy.DefaultChecks(), nil))
	documents := utilyaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	wrong := []string{}
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		must(0, err)
		var content any
		if utilyaml.Unmarshal(text, &content) == nil && content == nil {
			continue
		}
		object, kind, err := decoder.Decode(text, nil, nil)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		for _, problem := range invalidNames(object) {
			wrong = append(wrong, fmt.Sprintf("%s: %s", kind.Kind, problem))
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
	case *batchv1.Job:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	}
	return nil, nil
}
