// Writes deploy/kubernetes: the rendered chart, for users without Helm. `npm run gen` runs it if Helm is
// installed.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build.mjs';
import { helmCommand } from './commands.mjs';

const chart = join(root, 'deploy', 'helm', 'spread-sidecar');

/** Each file with its sample of `ci/` and its description. */
const files = {
  'workload.yaml': [
    'external',
    'An example workload with the sidecar, which uses Spread daemons that run elsewhere.',
  ],
  'workload-with-daemons.yaml': [
    'statefulset',
    'An example workload with the sidecar, and a StatefulSet of five Spread daemons.',
  ],
  'injection.yaml': [
    'injection',
    'A policy that adds the sidecar to every new pod of the namespaces that opt in. Needs Kubernetes 1.36 or later.',
  ],
};

function rendered(sample) {
  const text = execFileSync(
    helmCommand('4') ?? helmCommand('3'),
    [
      ...[
        'template',
        'spread-sidecar',
        chart,
        '--set',
        'daemon.statefulSet.name=spread',
        '--namespace',
        'default',
        '--skip-tests',
      ],
      ...['-f', join(chart, 'ci', `${sample}-values.yaml`)],
      ...['--kube-version', '1.36.0'],
      ...['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy'],
    ],
    { encoding: 'utf8' },
  );
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^# Source: |helm\.sh\/chart: |managed-by: Helm$/.test(line))
    .join('\n');
}

for (const [file, [sample, what]] of Object.entries(files)) {
  const head = `# ${what}\n# Generated from deploy/helm/spread-sidecar and its ci/${sample}-values.yaml by \`npm run gen\`. Do not edit.`;
  writeFileSync(join(root, 'deploy', 'kubernetes', file), `${head}\n${rendered(sample)}\n`);
}
