{{/* Names, labels and images. Each takes the context of this chart; a chart that depends on it passes its subchart's. */}}

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

{{- define "spread-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "spread-sidecar.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* On every pod that has this release's sidecar, whichever way it came there: PodMonitor and NetworkPolicy select by it. */}}
{{- define "spread-sidecar.podLabels" -}}
spread-sidecar/release: {{ .Release.Name | quote }}
{{- end }}

{{/* A changed configuration makes new pods: the sidecar reads its file once. */}}
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
{{- with .Values.image -}}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}
{{- else }}{{ printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spread-sidecar.imagePullSecrets" -}}
{{- range .Values.image.pullSecrets }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
