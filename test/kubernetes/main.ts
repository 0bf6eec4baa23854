import { parseArgs } from 'node:util';
import { ensureBinaries } from './binaries.js';
import { CHECKS } from './checks.js';
import { importImages } from './images.js';
import { KubernetesNode } from './node.js';

function usage(): string {
  return [
    'npm run cluster -- [--wait] [NAME …]',
    '',
    '  --wait  leaves the cluster running after the checks, until Ctrl+C',
    '',
    ...CHECKS.map(({ name, text }) => `  ${name.padEnd(18)} ${text}`),
  ].join('\n');
}

/** Starts Kubernetes, runs the named checks, or all, and removes it; the exit code is 1 when a check failed. */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { wait: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !CHECKS.some((check) => check.name === name));
  if (values.help || unknown.length > 0) {
    for (const name of unknown) print(`there is no check named ${name}`);
    print(usage());
    return values.help ? 0 : 2;
  }
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  const binaries = ensureBinaries(print);
  const node = await KubernetesNode.start(binaries);
  let interrupted = () => {};
  const interruption = new Promise<void>((resolve) => {
    interrupted = resolve;
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    print(`Kubernetes is ready (${seconds()})`);
    importImages(node, binaries);
    print(`the images are imported (${seconds()})`);
    for (const { name, needsSpread, run } of CHECKS) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      if (needsSpread && !process.env.SPREAD_HOME) {
        print(`${name}: skipped, because SPREAD_HOME is not set`);
        counts.skipped++;
        continue;
      }
      try {
        await run(node, (line) => print(`${name}: ${line}`));
        print(`${name}: passed (${seconds()})`);
        counts.passed++;
      } catch (error) {
        const { message, stderr } = error as Error & { stderr?: string };
        print(`${name}: FAILED: ${message}\n${stderr ?? ''}`);
        counts.failed++;
      }
    }
    if (values.wait) {
      print(`kubectl --kubeconfig ${node.kubeconfig}; logs are in ${node.logs}`);
      await interruption;
    }
  } finally {
    await node.stop();
  }
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed > 0 ? 1 : 0;
}
