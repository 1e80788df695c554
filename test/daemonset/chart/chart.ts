/** The Helm chart. */

import { stringify } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { manifestCommand } from '../../support/manifest-command.ts';
import { defaultParts, templates } from './templates.ts';
import { valuesSchema } from './values-schema.ts';

/** By their paths below daemonset/. */
export async function chartFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  return [
    ['helm/sluice/Chart.yaml', stringify(chart)],
    ['helm/sluice/values.yaml', await valuesText()],
    ['helm/sluice/values.schema.json', `${JSON.stringify(valuesSchema(), null, 2)}\n`],
    ['helm/sluice/templates/_helpers.tpl', helpers],
    ['helm/sluice/templates/NOTES.txt', notes],
    ...templates().map(([name, text]) => [`helm/sluice/templates/${name}`, text] as const),
  ];
}

const chart = {
  apiVersion: 'v2',
  name: 'sluice',
  description: packageJson.description,
  type: 'application',
  version: packageJson.version,
  appVersion: packageJson.version,
  // discovery.k8s.io/v1.
  kubeVersion: '>=1.21.0-0',
};

/** The examples of the manifest are the defaults of the flags. */
async function valuesText(): Promise<string> {
  const { stdout } = await manifestCommand();
  const examples = [...stdout.matchAll(/# EDIT: (.*)\n\s*- --([\w-]+)=(.*)/g)];
  const { updateStrategy, resources, ...others } = defaultParts();
  return `# Values of the chart. The objects are those that "sluice manifest" prints for the same flags.

image:
  # The image is not published: "npm run image" builds it. With the default it has to be on every node.
  repository: localhost/sluice
  # The version of the chart unless set.
  tag: ""
  # Counts before the tag: sha256:…
  digest: ""
  pullPolicy: IfNotPresent
imagePullSecrets: []

# Flags of "sluice run" by their names (docs/flags.md): a switch is true or false, a list a list or text with commas.
# What pods do not have is not among them: config, kubeconfig, manifests.
flags:
${examples.map(([, what, name, value]) => `  # EDIT: ${what}\n  ${name}: ${value}\n`).join('')}
# A restart breaks no connection; the limit keeps a bad version from reaching every node at once. No surge: a second agent
# on a node would want the same port and only wait for the end of the first.
${stringify({ updateStrategy })}
# No limits: throttled or ended, the agent would leave the Services of the node as they were.
${stringify({ resources })}
# On every Linux node: one without a service proxy is of no use, whatever its taints.
${stringify(others)}affinity: {}
podAnnotations: {}
`;
}

const notes = `sluice is on its way to every node:

  kubectl --namespace {{ .Release.Namespace }} rollout status daemonset sluice

No other service proxy may run on the same nodes.
{{- if eq (index .Values.flags "master" | default "") "${exampleMaster()}" }}

WARNING: flags.master is the example of the chart. Set it to an address of the API server that works without a service
proxy.
{{- end }}
`;

function exampleMaster(): string {
  return 'https://192.0.2.10:6443';
}

const helpers = `{{/* Repository, and digest or tag. */}}
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
{{- if $bind }}{{ regexFind "^(\\\\[.*\\\\]|[^:]*):[0-9]+$" $bind | regexFind "[0-9]+$" | default "10256" }}{{ end -}}
{{- end -}}

{{/* The address that the kubelet is to ask at; '' is the node's own. */}}
{{- define "sluice.healthz.host" -}}
{{- $bind := include "sluice.healthz" . -}}
{{- $address := regexReplaceAll "^(\\\\[.*\\\\]|[^:]*):[0-9]+$" $bind "\${1}" | trimPrefix "[" | trimSuffix "]" -}}
{{- if not (has $address (list "" "0.0.0.0" "::")) }}{{ $address }}{{ end -}}
{{- end -}}

{{- define "sluice.runtimeFolder" -}}
{{- index .Values.flags "runtime-endpoint" | default "/run/containerd/containerd.sock" | trimPrefix "unix:" | trimPrefix "//" | dir -}}
{{- end -}}

{{- define "sluice.recordsFolder" -}}
{{- index .Values.flags "direct-return-records" | default "/run/sluice/direct-return" | dir -}}
{{- end -}}
`;
