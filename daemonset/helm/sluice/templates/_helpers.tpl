{{/* Repository, and digest or tag. */}}
{{- define "sluice.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Those of .names that .flags has, as a list of arguments. Numbers of values are floating; a switch stands alone. */}}
{{- define "sluice.flags" -}}
{{- range $name := .names -}}
{{- if hasKey $.flags $name }}
{{- $value := index $.flags $name }}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end }}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
- {{ if and (kindIs "bool" $value) $value }}{{ printf "--%s" $name | quote }}{{ else }}{{ printf "--%s=%v" $name $value | quote }}{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* ADDRESS:PORT, [ADDRESS]:PORT, :PORT or an address alone; '' is nowhere. */}}
{{- define "sluice.healthz" -}}
{{- if hasKey .Values.flags "healthz-bind-address" }}{{ index .Values.flags "healthz-bind-address" }}{{ else }}0.0.0.0:10256{{ end -}}
{{- end -}}

{{- define "sluice.healthz.port" -}}
{{- $bind := include "sluice.healthz" . -}}
{{- if $bind }}{{ regexFind "^(\\[.*\\]|[^:]*):[0-9]+$" $bind | regexFind "[0-9]+$" | default "10256" }}{{ end -}}
{{- end -}}

{{/* The address that the kubelet is to ask at; '' is the node's own. */}}
{{- define "sluice.healthz.host" -}}
{{- $bind := include "sluice.healthz" . -}}
{{- $address := regexReplaceAll "^(\\[.*\\]|[^:]*):[0-9]+$" $bind "${1}" | trimPrefix "[" | trimSuffix "]" -}}
{{- if not (has $address (list "" "0.0.0.0" "::")) }}{{ $address }}{{ end -}}
{{- end -}}

{{- define "sluice.runtimeFolder" -}}
{{- index .Values.flags "runtime-endpoint" | default "/run/containerd/containerd.sock" | trimPrefix "unix:" | trimPrefix "//" | dir -}}
{{- end -}}

{{- define "sluice.recordsFolder" -}}
{{- index .Values.flags "direct-return-records" | default "/run/sluice/direct-return" | dir -}}
{{- end -}}
