import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { pageSnippets, type Snippet } from '../support/docs/page-snippets.js';
import { until } from '../support/until.js';
import type { Check } from './check.js';
import { SIDECAR_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';
import { helm } from './release.js';
import { restrictedPod } from './restricted-pod.js';

/** What the pages put into `daemon.external.addresses`. */
const DAEMON = '4803@spread.example';

/** The name that values.yaml of the page gives the image, and the chart's default. */
const IMAGES = ['registry.example/spread-sidecar:0.1.0', 'spread-sidecar:0.1.0'];

/**
 * A daemon that pods of a namespace find as `spread.example`: the search list of their resolver completes that to the name of the
 * pod `spread` of the Service `example`.
 */
function daemonObjects(): string {
  const { spec } = JSON.parse(restrictedPod({ user: 10_001 }));
  const [container] = spec.containers;
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'example' },
      spec: { clusterIP: 'None', selector: { app: 'spread' }, ports: [{ port: 4803 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'spread', labels: { app: 'spread' } },
      spec: {
        ...spec,
        hostname: 'spread',
        subdomain: 'example',
        containers: [
          {
            ...container,
            command: ['spread-sidecar', 'daemon', '--listen', '0.0.0.0', '--socket', 'off'],
            readinessProbe: { tcpSocket: { port: 4803 }, periodSeconds: 1 },
          },
        ],
      },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}

function startDaemon(node: KubernetesNode, namespace: string): void {
  node.apply(daemonObjects(), namespace);
  node.kubectl('--namespace', namespace, 'wait', '--for=condition=Ready', 'pod/spread', '--timeout=60s');
}

/** Runs a snippet as it is written, in a folder with the chart and the page's values.yaml. */
function run(node: KubernetesNode, { page, text }: Snippet): string {
  const folder = mkdtempSync(join(tmpdir(), 'spk-snippet-'));
  try {
    symlinkSync(join(process.cwd(), 'deploy'), join(folder, 'deploy'));
    symlinkSync(helm(), join(folder, 'helm'));
    symlinkSync(node.kubectlPath, join(folder, 'kubectl'));
    const values = pageSnippets(process.cwd()).find(
      (one) => one.page === page && one.text.startsWith('# values.yaml\n'),
    );
    if (values) {
      assert.ok(IMAGES.includes(imageOf(values.text)), `the image of values.yaml is none of ${IMAGES}`);
      writeFileSync(join(folder, 'values.yaml'), values.text);
    }
    const env = { ...process.env, KUBECONFIG: node.kubeconfig, PATH: `${folder}:${process.env.PATH}` };
    return execFileSync('sh', ['-euc', text], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function imageOf(values: string): string {
  const { repository, tag } = parse(values).image;
  return `${repository}:${tag}`;
}

/** The snippet starts a release `demo` in the namespace `default`, and tests it. */
function runDemo(node: KubernetesNode, snippet: Snippet): void {
  startDaemon(node, 'default');
  try {
    assert.match(run(node, snippet), /Phase:\s+Succeeded/);
  } finally {
    execFileSync(helm(), ['uninstall', 'demo', '--wait', '--kubeconfig', node.kubeconfig], {
      stdio: 'ignore',
    });
    node.kubectl('delete', 'service/example', 'pod/spread', '--timeout=60s');
  }
}

/** The snippet installs the policy, and restarts the Deployments of the namespace `apps`. */
async function runInjected(node: KubernetesNode, snippet: Snippet): Promise<void> {
  node.kubectl('create', 'namespace', 'apps');
  const apps = (...args: string[]) => node.kubectl('--namespace', 'apps', ...args);
  try {
    startDaemon(node, 'apps');
    const app = JSON.parse(restrictedPod({ user: 10_001 }));
    const labels = { app: 'app' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, ...app } },
    };
    node.apply(JSON.stringify(deployment), 'apps');
    run(node, snippet);
    apps('rollout', 'status', 'deployment/app', '--timeout=60s');
    const isInjected = () => {
      const { items } = JSON.parse(apps('get', 'pods', '--selector=app=app', '-o', 'json'));
      return items.length === 1 && items[0].spec.initContainers?.[0].name === 'spread-sidecar';
    };
    await until(isInjected, { timeoutMs: 60_000, what: 'the pod with the sidecar to be the only one' });
    apps('exec', 'deployment/app', '-c', 'app', '--', 'spread-sidecar', 'send', 'demo', '-m', 'hello');
  } finally {
    node.kubectl('delete', 'namespace', 'apps', '--timeout=120s');
    execFileSync(
      helm(),
      [
        'uninstall',
        'spread',
        '--namespace',
        'spread',
        '--wait',
        '--ignore-not-found',
        '--kubeconfig',
        node.kubeconfig,
      ],
      { stdio: 'ignore' },
    );
    node.kubectl('delete', 'namespace', 'spread', '--ignore-not-found', '--timeout=60s');
  }
}

export const PAGE_SNIPPETS_CHECK: Check = {
  name: 'page-snippets',
  text: 'the Helm snippets of all pages, run as they are written',
  needsSpread: false,
  run: async (node, print) => {
    for (const name of IMAGES) node.importImage(SIDECAR_IMAGE, name);
    const snippets = pageSnippets(process.cwd()).filter(
      ({ language, text }) => language === 'sh' && /^helm install /m.test(text),
    );
    for (const snippet of snippets) {
      assert.ok(snippet.text.includes(DAEMON), `a snippet of ${snippet.page} has another daemon`);
      if (snippet.text.includes('injection.enabled=true')) await runInjected(node, snippet);
      else runDemo(node, snippet);
      print(`${snippet.page}: ${snippet.text.split('\n')[0]}`);
    }
    assert.equal(snippets.length, 3);
  },
};
