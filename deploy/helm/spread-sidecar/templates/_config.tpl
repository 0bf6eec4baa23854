{{/* The sidecar's configuration, as JSON: `config` of the values, the daemon, and the files of the Secrets. */}}
{{- define "spread-sidecar.configJson" -}}
{{- $config := deepCopy .Values.config }}
{{- range $section := list "grpc" "admin" "daemon" "embedded" }}
{{- if not (get $config $section) }}{{ $_ := set $config $section dict }}{{ end }}
{{- end }}
{{- $files := "/run/secrets/spread-sidecar" }}
{{- with .Values.secrets }}
{{- if .tls.name }}
{{- $_ := set $config.grpc "tlsCert" (printf "%s/tls/tls.crt" $files) }}
{{- $_ := set $config.grpc "tlsKey" (printf "%s/tls/tls.key" $files) }}
{{- end }}
{{- if .clientCa.name }}{{ $_ := set $config.grpc "tlsClientCa" (printf "%s/client-ca/ca.crt" $files) }}{{ end }}
{{- if .tokens.name }}{{ $_ := set $config.grpc "tokenFile" (printf "%s/tokens/tokens" $files) }}{{ end }}
{{- if .adminToken.name }}{{ $_ := set $config.admin "tokenFile" (printf "%s/admin-token/token" $files) }}{{ end }}
{{- end }}
{{- if eq .Values.daemon.mode "embedded" }}
{{- $_ := set $config.embedded "enabled" true }}
{{- /* The root file system is read-only, and no other process needs the socket. */}}
{{- if not (hasKey $config.embedded "socket") }}{{ $_ := set $config.embedded "socket" "off" }}{{ end }}
{{- else if not $config.daemon.addresses }}
{{- $_ := set $config.daemon "addresses" (include "spread-sidecar.daemonAddresses" . | fromJsonArray) }}
{{- end }}
{{- range $section, $options := $config }}
{{- if not $options }}{{ $_ := unset $config $section }}{{ end }}
{{- end }}
{{- toJson $config }}
{{- end }}

{{/* Values as JSON, which is also YAML and does not change large numbers. */}}
{{- define "spread-sidecar.configYaml" -}}
{{- range $section, $options := include "spread-sidecar.configJson" . | fromJson }}
{{ $section }}:
{{- range $name, $value := $options }}
  {{ $name }}: {{ toJson $value }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spread-sidecar.adminPort" -}}
{{- /* The sidecar's own default is 127.0.0.1. */}}
{{- $listen := dig "admin" "listen" "127.0.0.1:4814" .Values.config }}
{{- if or (eq $listen "off") (regexMatch "^(localhost|127\\.|\\[::1\\])" $listen) }}
{{- fail (printf "config.admin.listen: the probes cannot reach %s; listen on [::]:4814, 0.0.0.0:4814 or another address of the pod" $listen) }}
{{- end }}
{{- regexFind "[0-9]+$" $listen }}
{{- end }}

{{/* Converts a duration of the sidecar, such as 1m30s, to seconds. */}}
{{- define "spread-sidecar.seconds" -}}
{{- $sum := 0.0 }}
{{- $rest := regexReplaceAll "[0-9]+ms$" . "" }}
{{- with regexFind "[0-9]+ms$" . }}{{ $sum = divf (trimSuffix "ms" . | float64) 1000.0 }}{{ end }}
{{- range $unit, $seconds := dict "h" 3600.0 "m" 60.0 "s" 1.0 }}
{{- with regexFind (printf "[0-9.]+%s" $unit) $rest }}{{ $sum = addf $sum (mulf (trimSuffix $unit . | float64) $seconds) }}{{ end }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* After this time, Kubernetes kills the processes that still run, see docs/operations.md#graceful-shutdown. */}}
{{- define "spread-sidecar.checkGracePeriod" -}}
{{- $delay := eq .Values.sidecar.mode "classic" | ternary .Values.sidecar.shutdownDelay "0s" }}
{{- $grace := dig "drain" "grace" "10s" .Values.config }}
{{- $needed := addf (include "spread-sidecar.seconds" $delay | float64) (include "spread-sidecar.seconds" $grace | float64) 4.0 }}
{{- if le (float64 .Values.workload.terminationGracePeriodSeconds) $needed }}
{{- fail (printf "workload.terminationGracePeriodSeconds: must be more than %v, which is sidecar.shutdownDelay (%s) + config.drain.grace (%s) + 4 s" $needed $delay $grace) }}
{{- end }}
{{- end }}

{{/* With hostNetwork, every process of the node can use a TCP port that requires no token. */}}
{{- define "spread-sidecar.checkHostNetwork" -}}
{{- if and .Values.workload.hostNetwork (not .Values.secrets.tokens.name) (not (dig "grpc" "tokenFile" "" .Values.config)) }}
{{- range dig "grpc" "listen" (list "127.0.0.1:4813") .Values.config }}
{{- if not (or (hasPrefix "unix:" .) (hasPrefix "/" .)) }}
{{- fail (printf "workload.hostNetwork: every process of the node could use config.grpc.listen %s; listen only on unix:/run/spread-sidecar/grpc.sock, or set secrets.tokens.name" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The target for the application: the sidecar's Unix socket if it has one, else its first address. */}}
{{- define "spread-sidecar.target" -}}
{{- $addresses := dig "grpc" "listen" (list "127.0.0.1:4813") .Values.config }}
{{- $target := "" }}
{{- range $addresses }}
{{- if and (not $target) (or (hasPrefix "unix:" .) (hasPrefix "/" .)) }}
{{- $target = printf "unix://%s" (trimPrefix "unix:" .) }}
{{- end }}
{{- end }}
{{- $target | default (first $addresses | replace "0.0.0.0:" "127.0.0.1:" | replace "[::]:" "127.0.0.1:") }}
{{- end }}
