package main

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// invalidNames lists the names, labels, annotations and selectors of an object that the API server rejects.
func invalidNames(object runtime.Object) []string {
	accessor := must(meta.Accessor(object))
	errs := apivalidation.ValidateObjectMetaAccessor(accessor, accessor.GetNamespace() != "", nameRule(object), field.NewPath("metadata"))
	selector := func(s *metav1.LabelSelector, path string) {
		options := metavalidation.LabelSelectorValidationOptions{}
		errs = append(errs, metavalidation.ValidateLabelSelector(s, options, field.NewPath(path))...)
	}
	switch o := object.(type) {
	case *corev1.Service:
		errs = append(errs, metavalidation.ValidateLabels(o.Spec.Selector, field.NewPath("spec.selector"))...)
	case *appsv1.Deployment:
		selector(o.Spec.Selector, "spec.selector")
	case *appsv1.StatefulSet:
		selector(o.Spec.Selector, "spec.selector")
		errs = append(errs, rule(field.NewPath("spec.serviceName"), o.Spec.ServiceName, validation.IsDNS1035Label)...)
	case *networkingv1.NetworkPolicy:
		selector(&o.Spec.PodSelector, "spec.podSelector")
	case *policyv1.PodDisruptionBudget:
		selector(o.Spec.Selector, "spec.selector")
	}
	if podMeta, spec := podOf(object); spec != nil {
		errs = append(errs, metavalidation.ValidateLabels(podMeta.Labels, field.NewPath("labels"))...)
		errs = append(errs, apivalidation.ValidateAnnotations(podMeta.Annotations, field.NewPath("annotations"))...)
		errs = append(errs, invalidPodNames(spec)...)
	}
	problems := []string{}
	for _, err := range errs {
		problems = append(problems, err.Error())
	}
	return problems
}

func nameRule(object runtime.Object) apivalidation.ValidateNameFunc {
	switch object.(type) {
	case *corev1.Service:
		// Releases before RelaxedServiceNameValidation take no other names.
		return apivalidation.NameIsDNS1035Label
	case *appsv1.StatefulSet, *appsv1.Deployment, *corev1.Pod:
		// Their names become host names.
		return apivalidation.NameIsDNSLabel
	}
	return apivalidation.NameIsDNSSubdomain
}

func rule(path *field.Path, value string, valid func(string) []string) field.ErrorList {
	errs := field.ErrorList{}
	for _, message := range valid(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

func invalidPodNames(spec *corev1.PodSpec) field.ErrorList {
	errs := field.ErrorList{}
	subdomain := func(path, value string) {
		if value != "" {
			errs = append(errs, rule(field.NewPath(path), value, validation.IsDNS1123Subdomain)...)
		}
	}
	subdomain("serviceAccountName", spec.ServiceAccountName)
	for i, secret := range spec.ImagePullSecrets {
		subdomain(fmt.Sprintf("imagePullSecrets[%d]", i), secret.Name)
	}
	for _, volume := range spec.Volumes {
		errs = append(errs, rule(field.NewPath("volumes"), volume.Name, validation.IsDNS1123Label)...)
		if volume.ConfigMap != nil {
			subdomain("volumes.configMap", volume.ConfigMap.Name)
		}
		if volume.Secret != nil {
			subdomain("volumes.secret", volume.Secret.SecretName)
		}
	}
	for _, container := range append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...) {
		errs = append(errs, rule(field.NewPath("containers"), container.Name, validation.IsDNS1123Label)...)
	}
	return errs
}
