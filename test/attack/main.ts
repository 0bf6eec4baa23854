import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks/index.js';
import { runAttack } from './stage.js';

function usage(): string {
  return [
    'npm run attack -- [--short] [--cgroup MIB] [NAME …]',
    '',
    '  --short       a few seconds each; latencies are printed but not judged',
    '  --cgroup MIB  bound the memory of the sidecar by a cgroup; needs root on Linux',
    '',
    ...ATTACKS.map(({ name, text }) => `  ${name.padEnd(22)} ${text}`),
  ].join('\n');
}

/** Runs the named attacks, or all; the exit code is 1 when a bound did not hold, 2 for an unknown name. */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { short: { type: 'boolean' }, cgroup: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !ATTACKS.some((attack) => attack.name === name));
  if (values.help || unknown.length > 0) {
    for (const name of unknown) print(`there is no attack named ${name}`);
    print(usage());
    return values.help ? 0 : 2;
  }
  const cgroupMiB = values.cgroup === undefined ? undefined : Number(values.cgroup);
  if (cgroupMiB !== undefined && !(cgroupMiB >= 32))
    throw new Error(`--cgroup must be a number of MiB from 32; got ${values.cgroup}`);
  let failed = 0;
  for (const attack of ATTACKS) {
    if (positionals.length > 0 && !positionals.includes(attack.name)) continue;
    print(`${attack.name}: ${attack.text}`);
    const problems = await runAttack(attack, { short: values.short ?? false, cgroupMiB, print });
    for (const problem of problems) print(`  FAILED: ${problem}`);
    if (problems.length > 0) failed++;
    else print('  all bounds held');
  }
  return failed > 0 ? 1 : 0;
}
