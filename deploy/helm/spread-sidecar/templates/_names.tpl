{{/* Names, labels and images. Each takes the context of this chart; a chart that depends on it passes its subchart's. */}}

{{- define "spread-sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "spread-sidecar.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "spread-sidecar.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "spread-sidecar.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "spread-sidecar.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "spread-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "spread-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "spread-sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* On every pod that has this release's sidecar, whichever way it came there: PodMonitor and NetworkPolicy select by it. */}}
{{- define "spread-sidecar.podLabels" -}}
spread-sidecar/release: {{ .Release.Name }}
{{- end }}

{{/* A changed configuration makes new pods: the sidecar reads its file once. */}}
{{- define "spread-sidecar.podAnnotations" -}}
checksum/spread-sidecar: {{ include "spread-sidecar.configYaml" . | sha256sum }}
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
- name: {{ . }}
{{- end }}
{{- end }}
