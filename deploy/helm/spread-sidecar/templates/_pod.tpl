{{/*
The parts of a pod with the sidecar. The example workload, the pod of `helm test`, the injection policy and your own charts all use
these templates.
*/}}

{{/* Pod Security "restricted" for a container with the given numeric user. Without a user, the platform chooses one. */}}
{{- define "spread-sidecar.restricted" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .) }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* spread-sidecar.restricted for `user`, overridden by the fields of `own`. null removes a field. A map with the keys user and own. */}}
{{- define "spread-sidecar.securityContext" -}}
{{- $context := include "spread-sidecar.restricted" .user | fromYaml }}
{{- range $field, $value := .own }}
{{- if kindIs "invalid" $value }}{{ $_ := unset $context $field }}{{ else }}{{ $_ := set $context $field $value }}{{ end }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{/* The node and the network of a pod. The values of a pod, and in `selector` the labels of the same kind of pods. */}}
{{- define "spread-sidecar.placement" -}}
{{- $values := . }}
{{- $fields := dict }}
{{- range $field := list "affinity" "dnsConfig" "nodeSelector" "priorityClassName" "runtimeClassName" "tolerations" }}
{{- with get $values $field }}{{ $_ := set $fields $field . }}{{ end }}
{{- end }}
{{- if .hostNetwork }}
{{- /* Otherwise, the pod would use the DNS server of its node, which does not resolve Services. */}}
{{- $_ := set $fields "hostNetwork" true }}
{{- $_ := set $fields "dnsPolicy" "ClusterFirstWithHostNet" }}
{{- end }}
{{- $constraints := list }}
{{- range .topologySpreadConstraints }}
{{- /* Without a selector, Kubernetes counts no pods. */}}
{{- if hasKey . "labelSelector" }}{{ $constraints = append $constraints . }}
{{- else }}{{ $constraints = append $constraints (merge (dict "labelSelector" (dict "matchLabels" $values.selector)) .) }}
{{- end }}
{{- end }}
{{- with $constraints }}{{ $_ := set $fields "topologySpreadConstraints" . }}{{ end }}
{{- with $fields }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* Fields of the pod's securityContext. The socket's folder gets the group fsGroup, and every container is in this group. */}}
{{- define "spread-sidecar.podSecurityContext" -}}
{{- if not (kindIs "invalid" .Values.sidecar.fsGroup) }}
fsGroup: {{ int64 .Values.sidecar.fsGroup }}
{{- end }}
{{- with omit .Values.sidecar.podSecurityContext "fsGroup" }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The sidecar's container, for the `sidecar.mode` of the values. */}}
{{- define "spread-sidecar.container" -}}
{{- include "spread-sidecar.containerOf" (dict "root" . "mode" .Values.sidecar.mode) }}
{{- end }}

{{- define "spread-sidecar.containerOf" -}}
{{- $mode := .mode }}
{{- with .root -}}
{{- if and (eq $mode "native") (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "sidecar.mode: native sidecars need Kubernetes 1.29, this is %s; set sidecar.mode to classic" .Capabilities.KubeVersion.Version) }}
{{- end -}}
name: spread-sidecar
image: {{ include "spread-sidecar.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if eq $mode "native" }}
restartPolicy: Always
args: {{ concat (list "serve") .Values.sidecar.extraArgs | toJson }}
{{- else }}
args: {{ concat (list "serve" "--shutdown-delay" .Values.sidecar.shutdownDelay) .Values.sidecar.extraArgs | toJson }}
# Kubernetes starts the containers in order, and starts the next container when this hook has ended. The sidecar is then ready.
lifecycle:
  postStart:
    exec:
      command: [spread-sidecar, healthcheck, --daemon, --quiet, --wait, {{ printf "%ds" (mul .Values.sidecar.startupProbe.periodSeconds .Values.sidecar.startupProbe.failureThreshold) }}]
{{- end }}
env:
  # A variable and not an argument, so that `spread-sidecar healthcheck` and `check` in this container read the same file.
  - name: SPREAD_SIDECAR_CONFIG
    value: /etc/spread-sidecar/config.yaml
  # If a client asks for no private name, the sidecar derives one from this UID. A metric and the log map the names to the pod.
  - name: SPREAD_SIDECAR_MAILBOX_PRIVATE_NAME_SEED
    valueFrom:
      fieldRef:
        fieldPath: metadata.uid
  {{- with .Values.sidecar.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: spread-admin
    containerPort: {{ include "spread-sidecar.adminPort" . }}
{{- with .Values.sidecar }}
startupProbe:
  httpGet:
    path: /startupz
    port: spread-admin
  periodSeconds: {{ .startupProbe.periodSeconds }}
  failureThreshold: {{ .startupProbe.failureThreshold }}
  timeoutSeconds: {{ .startupProbe.timeoutSeconds }}
readinessProbe:
  httpGet:
    path: /readyz
    port: spread-admin
  periodSeconds: {{ .readinessProbe.periodSeconds }}
  failureThreshold: {{ .readinessProbe.failureThreshold }}
  timeoutSeconds: {{ .readinessProbe.timeoutSeconds }}
livenessProbe:
  httpGet:
    path: /livez
    port: spread-admin
  periodSeconds: {{ .livenessProbe.periodSeconds }}
  failureThreshold: {{ .livenessProbe.failureThreshold }}
  timeoutSeconds: {{ .livenessProbe.timeoutSeconds }}
resources:
  {{- toYaml .resources | nindent 2 }}
{{- end }}
securityContext:
  {{- include "spread-sidecar.securityContext" (dict "user" .Values.sidecar.runAsUser "own" .Values.sidecar.securityContext) | nindent 2 }}
volumeMounts:
  - name: spread-sidecar-socket
    mountPath: /run/spread-sidecar
  - name: spread-sidecar-config
    mountPath: /etc/spread-sidecar
    readOnly: true
  {{- range $name, $secret := pick .Values.secrets "tls" "clientCa" "tokens" "adminToken" }}
  {{- if $secret.name }}
  - name: spread-sidecar-{{ kebabcase $name }}
    mountPath: /run/secrets/spread-sidecar/{{ kebabcase $name }}
    readOnly: true
  {{- end }}
  {{- end }}
  {{- with .Values.sidecar.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Entries of the pod's `initContainers`. */}}
{{- define "spread-sidecar.initContainers" -}}
{{- if eq .Values.sidecar.mode "native" }}{{ include "spread-sidecar.nativeContainers" . }}
{{- else }}{{ include "spread-sidecar.nativeDaemon" . }}
{{- end }}
{{- end }}

{{- define "spread-sidecar.nativeContainers" -}}
{{ include "spread-sidecar.nativeDaemon" . }}
- {{ include "spread-sidecar.containerOf" (dict "root" . "mode" "native") | nindent 2 | trim }}
{{- end }}

{{/*
With daemon.mode container, the daemon is a native sidecar if Kubernetes supports it, also beside a classic sidecar. The daemon ends at
once at SIGTERM, but must continue during the shutdown delay of the sidecar. As a native sidecar, it also does not block the end of a Job.
*/}}
{{- define "spread-sidecar.nativeDaemon" -}}
{{- if and (eq .Values.daemon.mode "container") (semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version) -}}
- {{ include "spread-sidecar.daemonContainer" (dict "root" . "name" "localhost") | nindent 2 | trim }}
  restartPolicy: Always
{{- end }}
{{- end }}

{{/* Entries of the pod's `containers`, which must come before the application's container. Empty with `sidecar.mode: native`. */}}
{{- define "spread-sidecar.containers" -}}
{{- if eq .Values.sidecar.mode "classic" }}
{{- if and (eq .Values.daemon.mode "container") (not (include "spread-sidecar.nativeDaemon" .)) -}}
- {{ include "spread-sidecar.daemonContainer" (dict "root" . "name" "localhost") | nindent 2 | trim }}
{{ end -}}
- {{ include "spread-sidecar.containerOf" (dict "root" . "mode" "classic") | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* Entries of the pod's `volumes`. */}}
{{- define "spread-sidecar.volumes" -}}
{{- include "spread-sidecar.volumesOf" (dict "root" . "injected" false) }}
{{- end }}

{{/* With `injected`, the files come from annotations of the pod, because its namespace has no ConfigMap of this release. */}}
{{- define "spread-sidecar.volumesOf" -}}
{{- $injected := .injected }}
{{- with .root -}}
# In memory, because a socket stores no data, and the folder is empty after a restart of the pod.
- name: spread-sidecar-socket
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: spread-sidecar-config
  {{- if $injected }}
  downwardAPI:
    items:
      - path: config.yaml
        fieldRef:
          fieldPath: metadata.annotations['spread-sidecar/config']
  {{- else }}
  configMap:
    name: "{{ include "spread-sidecar.fullname" . }}-config"
  {{- end }}
{{- range $name, $secret := .Values.secrets }}
{{- if $secret.name }}
- name: spread-sidecar-{{ kebabcase $name }}
  secret:
    secretName: {{ $secret.name | quote }}
    # All users can read the file, because the containers have different users. Only containers that need the file mount it.
    defaultMode: 0444
    {{- if $secret.key }}
    items:
      - key: {{ $secret.key | quote }}
        path: {{ eq $name "tokens" | ternary "tokens" "token" }}
    {{- end }}
{{- end }}
{{- end }}
{{- if eq .Values.daemon.mode "container" }}
{{ include "spread-sidecar.daemonVolumes" (dict "root" . "injected" $injected) }}
{{- end }}
{{- with .Values.sidecar.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Entries of the application's `env`. */}}
{{- define "spread-sidecar.appEnv" -}}
- name: SPREAD_SIDECAR_TARGET
  value: {{ include "spread-sidecar.target" . | quote }}
- name: SPREAD_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: SPREAD_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- if .Values.secrets.appToken.name }}
- name: SPREAD_SIDECAR_TOKEN_FILE
  value: /run/secrets/spread-sidecar/app-token/token
{{- end }}
{{- end }}

{{/* Entries of the application's `volumeMounts`. */}}
{{- define "spread-sidecar.appVolumeMounts" -}}
- name: spread-sidecar-socket
  mountPath: /run/spread-sidecar
  # An application can connect to a socket on a read-only mount. Only the sidecar creates sockets in this folder.
  readOnly: true
{{- if .Values.secrets.appToken.name }}
- name: spread-sidecar-app-token
  mountPath: /run/secrets/spread-sidecar/app-token
  readOnly: true
{{- end }}
{{- end }}

{{/* If the sidecar requires a token, the chart's own clients need one too. */}}
{{- define "spread-sidecar.checkAppToken" -}}
{{- with .Values.secrets }}
{{- if and .tokens.name (not .appToken.name) }}
{{- fail "secrets.appToken.name: the sidecar requires a token (secrets.tokens), so the example workload and the test need one; set it, or set workload.enabled and test.enabled to false" }}
{{- end }}
{{- end }}
{{- end }}
