{{/* Parts of the injection policy: JSON patches of a pod, in CEL. */}}

{{/* A value as a CEL literal. In Kubernetes' CEL, a list or map has values of only one type; dyn() allows several types. */}}
{{- define "spread-sidecar.cel" -}}
{{- if kindIs "map" . -}}
{ {{- range $index, $key := keys . | sortAlpha }}{{ if $index }}, {{ end }}{{ toJson $key }}: dyn({{ include "spread-sidecar.cel" (get $ $key) }}){{ end -}} }
{{- else if kindIs "slice" . -}}
[{{- range $index, $item := . }}{{ if $index }}, {{ end }}dyn({{ include "spread-sidecar.cel" $item }}){{ end -}}]
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end }}

{{/* A map with the keys path (a CEL expression) and value. */}}
{{- define "spread-sidecar.patch" -}}
JSONPatch{op: "add", path: {{ .path }}, value: {{ include "spread-sidecar.cel" .value }}}
{{- end }}

{{/* A selector of the namespaces whose pods may be injected. */}}
{{- define "spread-sidecar.injectedNamespaces" -}}
{{- if eq .Values.injection.optIn "pod" }}{}
{{- else -}}
matchLabels:
  {{- toYaml .Values.injection.namespaceLabels | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Lists of patches of the sidecar's container, from annotations of the pod, joined by +. A map with the keys root (the context)
and path (of the container).
*/}}
{{- define "spread-sidecar.annotationPatches" -}}
{{- $parts := list }}
{{- range $annotation, $field := dict "cpu-request" "requests/cpu" "memory-request" "requests/memory" "cpu-limit" "limits/cpu" "memory-limit" "limits/memory" }}
{{- $key := printf "spread-sidecar/%s" $annotation | toJson }}
{{- $parts = append $parts (printf "(%s in variables.annotations ? [JSONPatch{op: \"add\", path: \"%s/resources/%s\", value: variables.annotations[%s]}] : [])" $key $.path $field $key) }}
{{- end }}
{{- $prefix := "spread-sidecar/config." }}
{{- $option := printf "k.substring(%d)" (len $prefix) }}
{{- $name := printf "\"SPREAD_SIDECAR_\" + (%s in variables.optionNames ? variables.optionNames[%s] : %s.findAll(\"[A-Z]?[a-z0-9]+\").join(\"_\").upperAscii())" $option $option $option }}
{{- $parts = append $parts (printf "variables.annotations.filter(k, k.startsWith(%s)).map(k, JSONPatch{op: \"add\", path: \"%s/env/-\", value: {\"name\": dyn(%s), \"value\": dyn(variables.annotations[k])}})" (toJson $prefix) .path $name) }}
{{- $sockets := list }}
{{- range dig "grpc" "listen" (list "127.0.0.1:4813") .root.Values.config }}
{{- if or (hasPrefix "unix:" .) (hasPrefix "/" .) }}{{ $sockets = append $sockets . }}{{ end }}
{{- end }}
{{- if $sockets }}
{{- $patch := include "spread-sidecar.patch" (dict "path" (printf "%s/env/-" .path | toJson) "value" (dict "name" "SPREAD_SIDECAR_GRPC_LISTEN" "value" (join "," $sockets))) }}
{{- $parts = append $parts (printf "(\"spread-sidecar/tcp\" in variables.annotations && variables.annotations[\"spread-sidecar/tcp\"] == \"false\" ? [%s] : [])" $patch) }}
{{- end }}
{{- join " +\n" $parts }}
{{- end }}

{{/* Lists of patches, joined by +. */}}
{{- define "spread-sidecar.patches" -}}
{{- $native := eq .Values.sidecar.mode "native" }}
{{- $parts := list }}
{{- $secrets := include "spread-sidecar.pullSecretNames" . | fromJsonArray }}
{{- /* A patch can only add to a field that exists, so these patches create the missing fields. */}}
{{- $group := pick (include "spread-sidecar.podSecurityContext" . | fromYaml) "fsGroup" }}
{{- range $path := concat (list "metadata.labels" "metadata.annotations") (empty $group | ternary list (list "spec.securityContext")) }}
{{- $parts = append $parts (printf "(has(object.%s) ? [] : [%s])" $path (include "spread-sidecar.patch" (dict "path" (printf "/%s" ($path | replace "." "/") | toJson) "value" dict))) }}
{{- end }}
{{- range $path := list "spec.volumes" "spec.initContainers" | concat (empty $secrets | ternary list (list "spec.imagePullSecrets")) }}
{{- $parts = append $parts (printf "(has(object.%s) ? [] : [%s])" $path (include "spread-sidecar.patch" (dict "path" (printf "/%s" ($path | replace "." "/") | toJson) "value" list))) }}
{{- end }}
{{- if $group }}
{{- $parts = append $parts (printf "(has(object.spec.securityContext) && has(object.spec.securityContext.fsGroup) ? [] : [%s])" (include "spread-sidecar.patch" (dict "path" (toJson "/spec/securityContext/fsGroup") "value" $group.fsGroup))) }}
{{- end }}
{{- $annotations := dict "config" (include "spread-sidecar.configYaml" . | trim) }}
{{- if eq .Values.daemon.mode "container" }}{{ $_ := set $annotations "spread-conf" (include "spread-sidecar.spreadConf" . | trim) }}{{ end }}
{{- range $name, $text := $annotations }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (printf "/metadata/annotations/spread-sidecar~1%s" $name | toJson) "value" $text))) }}
{{- end }}
{{- range $key, $text := include "spread-sidecar.podLabels" . | fromYaml }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (printf "/metadata/labels/%s" ($key | replace "/" "~1") | toJson) "value" $text))) }}
{{- end }}
{{- range $secret := $secrets }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (toJson "/spec/imagePullSecrets/-") "value" (dict "name" $secret)))) }}
{{- end }}
{{- range $volume := include "spread-sidecar.volumesOf" (dict "root" . "injected" true) | fromYamlArray }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (toJson "/spec/volumes/-") "value" $volume))) }}
{{- end }}
{{- /* All containers of the application. Its init containers run before a classic sidecar, except native sidecars. */}}
{{- $all := "variables.initContainers" }}
{{- if not $native }}{{ $all = printf "%s.filter(c, has(c.restartPolicy))" $all }}{{ end }}
{{- range $kind := list (dict "list" "object.spec.containers" "names" "variables.names" "path" "containers") (dict "list" $all "names" "variables.initNames" "path" "initContainers") }}
{{- $at := printf "\"/spec/%s/\" + string(%s.indexOf(c.name)) + " $kind.path $kind.names }}
{{- range $field, $entries := dict "env" (include "spread-sidecar.appEnv" $ | fromYamlArray) "volumeMounts" (include "spread-sidecar.appVolumeMounts" $ | fromYamlArray) }}
{{- $parts = append $parts (printf "%s.filter(c, !has(c.%s)).map(c, %s)" $kind.list $field (include "spread-sidecar.patch" (dict "path" (printf "%s\"/%s\"" $at $field) "value" list))) }}
{{- range $entry := $entries }}
{{- $parts = append $parts (printf "%s.map(c, %s)" $kind.list (include "spread-sidecar.patch" (dict "path" (printf "%s\"/%s/-\"" $at $field) "value" $entry))) }}
{{- end }}
{{- end }}
{{- end }}
{{- /* Each patch inserts at the beginning of the list, so the last container comes first. */}}
{{- range $container := include "spread-sidecar.initContainers" . | fromYamlArray | reverse }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (toJson "/spec/initContainers/0") "value" $container))) }}
{{- end }}
{{- $beside := include "spread-sidecar.containers" . | fromYamlArray }}
{{- range $container := reverse $beside }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (toJson "/spec/containers/0") "value" $container))) }}
{{- end }}
{{- range $list, $containers := dict "initContainers" (include "spread-sidecar.initContainers" . | fromYamlArray) "containers" $beside }}
{{- range $index, $container := $containers }}
{{- if eq $container.name "spread-sidecar" }}
{{- $resources := default dict $container.resources }}
{{- if not $resources }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (printf "/spec/%s/%d/resources" $list $index | toJson) "value" dict))) }}
{{- end }}
{{- range $field := list "requests" "limits" }}
{{- if not (get $resources $field) }}
{{- $parts = append $parts (printf "[%s]" (include "spread-sidecar.patch" (dict "path" (printf "/spec/%s/%d/resources/%s" $list $index $field | toJson) "value" dict))) }}
{{- end }}
{{- end }}
{{- $parts = append $parts (include "spread-sidecar.annotationPatches" (dict "root" $ "path" (printf "/spec/%s/%d" $list $index))) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $beside }}
{{- /* Otherwise, the sidecar would be the default container, because it is the first one. */}}
{{- $annotation := "kubectl.kubernetes.io/default-container" }}
{{- $parts = append $parts (printf "(has(object.metadata.annotations) && %s in object.metadata.annotations ? [] : [JSONPatch{op: \"add\", path: %s, value: variables.names[0]}])" (toJson $annotation) (printf "/metadata/annotations/%s" ($annotation | replace "/" "~1") | toJson)) }}
{{- end }}
{{- join " +\n" $parts }}
{{- end }}
