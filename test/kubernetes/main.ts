import { parseArgs } from 'node:util';
import { type Binaries, ensureBinaries } from './binaries.js';
import type { Check } from './check.js';
import { CHECKS } from './checks.js';
import { importImages } from './images.js';
import { type ClusterNetwork, NETWORKS } from './network.js';
import { KubernetesNode } from './node.js';

function usage(): string {
  return [
    'npm run cluster -- [--network NAME] [--wait] [CHECK …]',
    '',
    '  --network NAME  only the cluster with this network; default: one cluster after the other',
    '  --wait          leaves the last cluster running after the checks, until Ctrl+C',
    '',
    'Networks:',
    ...NETWORKS.map(({ name, text }) => `  ${name.padEnd(18)} ${text}`),
    '',
    'Checks, with ipv4 unless other networks are named:',
    ...CHECKS.map(
      ({ name, text, networks }) =>
        `  ${name.padEnd(18)} ${text}${networks ? ` (${networks.join(', ')})` : ''}`,
    ),
  ].join('\n');
}

const runsOn = ({ networks = ['ipv4'] }: Check, network: ClusterNetwork) => networks.includes(network.name);

/**
 * Starts Kubernetes, runs the named checks, or all, and removes Kubernetes. The exit code is 1 when a check
 * failed.
 */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { network: { type: 'string' }, wait: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !CHECKS.some((check) => check.name === name));
  const networks = NETWORKS.filter(({ name }) => values.network === undefined || name === values.network);
  if (values.help || unknown.length > 0 || networks.length === 0) {
    for (const name of unknown) print(`there is no check named ${name}`);
    if (networks.length === 0) print(`there is no network named ${values.network}`);
    print(usage());
    return values.help ? 0 : 2;
  }
  const chosen = CHECKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const run = new Run(ensureBinaries(print), print);
  const used = networks.filter((network) => chosen.some((check) => runsOn(check, network)));
  for (const network of used) {
    const checks = chosen.filter((check) => runsOn(check, network));
    await run.on(network, checks, (values.wait ?? false) && network === used.at(-1));
  }
  const { passed, failed, skipped } = run.counts;
  for (const failure of run.failures) print(failure);
  print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed + skipped === 0 ? 1 : 0;
}

/** Runs checks on one cluster after the other. */
class Run {
  readonly counts = { passed: 0, failed: 0, skipped: 0 };
  /** The failed checks with their errors, printed again at the end of the output. */
  readonly failures: string[] = [];
  readonly #began = Date.now();
  readonly #interruption: Promise<void>;
  #isInterrupted = false;

  constructor(
    private readonly binaries: Binaries,
    private readonly print: (line: string) => void,
  ) {
    this.#interruption = new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => {
          this.#isInterrupted = true;
          resolve();
        });
    });
  }

  async on(network: ClusterNetwork, checks: readonly Check[], wait: boolean): Promise<void> {
    if (this.#isInterrupted) return;
    const node = await KubernetesNode.start(this.binaries, network);
    try {
      this.#say(`Kubernetes is ready, ${network.text}`);
      importImages(node, this.binaries);
      this.#say('the images are imported');
      for (const check of checks) await this.#check(node, check);
      if (wait) {
        this.print(`kubectl --kubeconfig ${node.kubeconfig}; logs are in ${node.logs}`);
        await this.#interruption;
      }
    } finally {
      await node.stop();
    }
  }

  async #check(node: KubernetesNode, { name, needsSpread, run }: Check): Promise<void> {
    if (this.#isInterrupted) return;
    const title = `${name} (${node.network.name})`;
    if (needsSpread && !process.env.SPREAD_HOME) {
      this.print(`${title}: skipped, because SPREAD_HOME is not set`);
      this.counts.skipped++;
      return;
    }
    try {
      await run(node, (line) => this.print(`${title}: ${line}`));
      this.#say(`${title}: passed`);
      this.counts.passed++;
    } catch (error) {
      const { message, stderr } = error as Error & { stderr?: string };
      const failure = `${title}: FAILED: ${message}\n${stderr ?? ''}`;
      this.failures.push(failure);
      this.#say(failure);
      this.counts.failed++;
    }
  }

  #say(line: string): void {
    this.print(`${line} (${((Date.now() - this.#began) / 1000).toFixed(0)} s)`);
  }
}
