{{/* Spread daemons: their names, their spread.conf, their container. */}}

{{/*
Common part of the daemons' names. Spread cuts names after 19 characters, and two daemons must not become one. The names of
Services begin with a letter and have no dot.
*/}}
{{- define "spread-sidecar.daemonName" -}}
{{- $made := printf "%s-spread" .Release.Name }}
{{- if or (gt (len $made) 16) (not (regexMatch "^[a-z][a-z0-9-]*$" $made)) }}{{ $made = printf "spread-%s" (sha256sum .Release.Name | trunc 8) }}{{ end }}
{{- default $made .Values.daemon.statefulSet.name }}
{{- end }}

{{/* A JSON list of spread names. */}}
{{- define "spread-sidecar.daemonAddresses" -}}
{{- with .Values.daemon }}
{{- if eq .mode "external" }}
{{- if not .external.addresses }}
{{- fail "daemon.external.addresses: the list is empty; set the addresses of your Spread daemons, such as 4803@spread.example, or set another daemon.mode" }}
{{- end }}
{{- toJson .external.addresses }}
{{- else if eq .mode "container" }}
{{- list (printf "%v@127.0.0.1" .port) | toJson }}
{{- else }}
{{- /* Injected pods are in other namespaces. */}}
{{- $host := include "spread-sidecar.daemonName" $ }}
{{- if $.Values.injection.enabled }}{{ $host = printf "%s.%s.svc" $host (include "spread-sidecar.namespace" $) }}{{ end }}
{{- list (printf "%v@%s" .port $host) | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{/*
container: one daemon, for its pod alone. statefulSet: each daemon in a segment of its own, because pod networks carry neither
broadcast nor multicast. {name} is for files/spread-addresses.mjs.
*/}}
{{- define "spread-sidecar.spreadConf" -}}
{{- $daemon := .Values.daemon }}
{{- if eq $daemon.mode "container" -}}
Spread_Segment 127.0.0.255:{{ $daemon.port }} {
  localhost 127.0.0.1 {
    127.0.0.1
  }
}
{{- else -}}
{{- $name := include "spread-sidecar.daemonName" . -}}
{{- range $index := until (int $daemon.statefulSet.replicas) }}
Spread_Segment 127.0.0.255:{{ $daemon.port }} {
  {{ $name }}-{{ $index }} {{ printf "{%s-%d.%s-nodes}" $name $index $name }}
}
{{- end }}
{{- end }}
{{- /* After a restart of a daemon in its pod, connections of the previous process use the port for a minute. Spread would abort. */}}
SocketPortReuse = On
{{- with $daemon.extraConf }}
{{ . }}
{{- end }}
{{- end }}

{{/* A map with the keys root (the context) and name (the name of the daemon). */}}
{{- define "spread-sidecar.daemonContainer" -}}
{{- $daemon := .root.Values.daemon -}}
name: spread
image: {{ include "spread-sidecar.withRegistry" (dict "root" .root "image" (required "daemon.image: name your image of the Spread daemon" $daemon.image)) | quote }}
imagePullPolicy: {{ $daemon.imagePullPolicy }}
command:
  {{- $supervisor := eq .name "$(POD_NAME)" | ternary (list "sh" "/etc/spread-supervisor/spread-supervisor.sh" "/etc/spread/restart") list }}
  {{- concat $supervisor $daemon.command (list "-n" .name "-c" "/etc/spread/spread.conf") | toYaml | nindent 2 }}
{{- if eq .name "$(POD_NAME)" }}
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
{{- end }}
resources:
  {{- toYaml $daemon.resources | nindent 2 }}
securityContext:
  {{- include "spread-sidecar.securityContext" (dict "user" $daemon.runAsUser "own" $daemon.securityContext) | nindent 2 }}
volumeMounts:
  - name: {{ eq .name "$(POD_NAME)" | ternary "spread-run" "spread-conf" }}
    mountPath: /etc/spread
    readOnly: true
  {{- if eq .name "$(POD_NAME)" }}
  - name: spread-conf
    mountPath: /etc/spread-supervisor
    readOnly: true
  {{- end }}
  # The daemon creates its Unix socket in this folder.
  - name: spread-tmp
    mountPath: /tmp
{{- end }}

{{/* A map with the keys root (the context) and injected, as for the sidecar's volumes. */}}
{{- define "spread-sidecar.daemonVolumes" -}}
- name: spread-conf
  {{- if .injected }}
  downwardAPI:
    items:
      - path: spread.conf
        fieldRef:
          fieldPath: metadata.annotations['spread-sidecar/spread-conf']
  {{- else }}
  configMap:
    name: "{{ include "spread-sidecar.fullname" .root }}-daemon"
  {{- end }}
- name: spread-tmp
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}

{{/* The container beside each daemon of the StatefulSet, which writes the daemon's spread.conf. */}}
{{- define "spread-sidecar.addressesContainer" -}}
name: addresses
image: {{ include "spread-sidecar.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
restartPolicy: Always
# The supervisor also restarts this process. If the kubelet restarted the container, the pod would not be ready meanwhile.
command:
  - sh
  - /etc/spread-addresses/spread-supervisor.sh
  - /run/spread/restart-addresses
  - node
  - /etc/spread-addresses/spread-addresses.mjs
  - /etc/spread-addresses/spread.conf
  - /run/spread
  - $(POD_NAME)
  - "4815"
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_IPS
    valueFrom:
      fieldRef:
        fieldPath: status.podIPs
ports:
  - name: addresses
    containerPort: 4815
# `kubectl describe pod` shows why the process ended.
terminationMessagePolicy: FallbackToLogsOnError
# The daemon starts when this process knows all addresses.
startupProbe:
  httpGet:
    path: /written
    port: addresses
  periodSeconds: 1
  failureThreshold: 600
resources:
  requests:
    cpu: 10m
    memory: 48Mi
  limits:
    memory: 128Mi
securityContext:
  {{- include "spread-sidecar.securityContext" (dict "user" .Values.sidecar.runAsUser "own" .Values.sidecar.securityContext) | nindent 2 }}
volumeMounts:
  - name: spread-conf
    mountPath: /etc/spread-addresses
    readOnly: true
  - name: spread-run
    mountPath: /run/spread
{{- end }}
