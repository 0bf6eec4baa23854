{{/* Names, labels and images. Each template needs the context of this chart. A parent chart passes the context of its subchart. */}}

{{/*
A name in the form that Kubernetes requires: a DNS label of at most 40 characters, which leaves room for suffixes. A name that
has to change gets a hash of the original, so that two different names stay different.
*/}}
{{- define "spread-sidecar.dnsLabel" -}}
{{- $label := regexReplaceAll "[^a-z0-9-]" (lower .) "-" | trimAll "-" }}
{{- if or (ne $label .) (gt (len $label) 40) }}
{{- $label = printf "%s-%s" ($label | trunc 31 | trimAll "-") (sha256sum . | trunc 8) | trimPrefix "-" }}
{{- end }}
{{- $label }}
{{- end }}

{{/* The name of a Service begins with a letter. */}}
{{- define "spread-sidecar.serviceName" -}}
{{- regexMatch "^[a-z]" . | ternary . (printf "s-%s" .) }}
{{- end }}

{{- define "spread-sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | toString | include "spread-sidecar.dnsLabel" }}
{{- end }}

{{- define "spread-sidecar.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride | toString }}
{{- $fullname := printf "%s-%s" .Release.Name $name }}
{{- if .Values.fullnameOverride }}{{ $fullname = toString .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}{{ $fullname = .Release.Name }}
{{- end }}
{{- include "spread-sidecar.dnsLabel" $fullname }}
{{- end }}

{{- define "spread-sidecar.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{ include "spread-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{/* Namespace of the objects. */}}
{{- define "spread-sidecar.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/*
Metadata of an object. A map with the keys root (the context) and name, and optionally component, labels, annotations and
isClusterWide. Labels that select something cannot be overridden.
*/}}
{{- define "spread-sidecar.metadata" -}}
{{- $values := .root.Values -}}
name: {{ .name | quote }}
{{- if and $values.namespaceOverride (not .isClusterWide) }}
namespace: {{ $values.namespaceOverride | quote }}
{{- end }}
labels:
  {{- include "spread-sidecar.allLabels" . | nindent 2 }}
{{- with mergeOverwrite dict $values.commonAnnotations (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Labels of an object or a pod. A map as for spread-sidecar.metadata. */}}
{{- define "spread-sidecar.allLabels" -}}
{{- $own := include "spread-sidecar.labels" .root | fromYaml }}
{{- with .component }}{{ $_ := set $own "app.kubernetes.io/component" . }}{{ end }}
{{- mergeOverwrite dict .root.Values.commonLabels (default dict .labels) $own | toYaml }}
{{- end }}

{{- define "spread-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "spread-sidecar.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels of every pod with this release's sidecar, also of injected pods. PodMonitor and NetworkPolicy select pods by these labels. */}}
{{- define "spread-sidecar.podLabels" -}}
spread-sidecar/release: {{ .Release.Name | quote }}
{{- end }}

{{/* The sidecar reads its file only once. If the configuration changes, this annotation changes too, and Kubernetes replaces the pods. */}}
{{- define "spread-sidecar.podAnnotations" -}}
checksum/spread-sidecar: {{ include "spread-sidecar.configYaml" . | sha256sum | quote }}
{{- end }}

{{- define "spread-sidecar.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "spread-sidecar.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "spread-sidecar.image" -}}
{{- $image := .Values.image -}}
{{- $name := printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) }}
{{- if $image.digest }}{{ $name = printf "%s@%s" $image.repository $image.digest }}{{ end }}
{{- include "spread-sidecar.withRegistry" (dict "root" . "image" $name) }}
{{- end }}

{{/* Adds global.imageRegistry to an image whose name contains no registry. A map with the keys root (the context) and image. */}}
{{- define "spread-sidecar.withRegistry" -}}
{{- $first := splitList "/" .image | first }}
{{- $hasRegistry := and (contains "/" .image) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) }}
{{- $registry := dig "imageRegistry" "" .root.Values.global }}
{{- if or $hasRegistry (not $registry) }}{{ .image }}{{ else }}{{ printf "%s/%s" (trimSuffix "/" $registry) .image }}{{ end }}
{{- end }}

{{/* Names of the Secrets, as a JSON list. global.imagePullSecrets can have objects instead of names, because other charts require them. */}}
{{- define "spread-sidecar.pullSecretNames" -}}
{{- $names := list }}
{{- range dig "imagePullSecrets" list .Values.global }}
{{- $names = append $names (kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") .) }}
{{- end }}
{{- concat $names .Values.image.pullSecrets | uniq | toJson }}
{{- end }}

{{- define "spread-sidecar.imagePullSecrets" -}}
{{- range include "spread-sidecar.pullSecretNames" . | fromJsonArray }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
