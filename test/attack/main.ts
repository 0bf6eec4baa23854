import { parseArgs } from 'node:util';
import { attackAdminPort } from './admin-port.js';
import { ATTACKS } from './attacks/index.js';
import { runAttack } from './stage.js';

function usage(): string {
  return [
    'npm run attack -- [--short] [--cgroup MIB] [NAME …]',
    'npm run attack -- --at HOST:PORT',
    '',
    '  --short       a few seconds each; latencies are printed but not judged',
    '  --cgroup MIB  bound the memory of the sidecar by a cgroup; needs root on Linux',
    '  --at HOST:PORT  run the attacks on the admin port against a sidecar that runs already',
    '',
    ...ATTACKS.map(({ name, text }) => `  ${name.padEnd(22)} ${text}`),
  ].join('\n');
}

/** Runs the named attacks, or all; the exit code is 1 when a bound did not hold, 2 for an unknown name. */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean' },
      cgroup: { type: 'string' },
      at: { type: 'string' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !ATTACKS.some((attack) => attack.name === name));
  if (values.help || unknown.length > 0) {
    for (const name of unknown) print(`there is no attack named ${name}`);
    print(usage());
    return values.help ? 0 : 2;
  }
  if (values.at !== undefined) {
    const { hostname, port } = new URL(`http://${values.at}`);
    return conclude(await attackAdminPort(hostname.replace(/^\[|\]$/g, ''), Number(port), { print }), print);
  }
  const cgroupMiB = values.cgroup === undefined ? undefined : Number(values.cgroup);
  if (cgroupMiB !== undefined && !(cgroupMiB >= 32))
    throw new Error(`--cgroup must be a number of MiB from 32; got ${values.cgroup}`);
  let failed = 0;
  for (const attack of ATTACKS) {
    if (positionals.length > 0 && !positionals.includes(attack.name)) continue;
    print(`${attack.name}: ${attack.text}`);
    const problems = await runAttack(attack, { short: values.short ?? false, cgroupMiB, print });
    failed += conclude(problems, print);
  }
  return failed > 0 ? 1 : 0;
}

/** Prints the bounds that did not hold; 1 when there is one. */
function conclude(problems: readonly string[], print: (line: string) => void): 0 | 1 {
  for (const problem of problems) print(`  FAILED: ${problem}`);
  if (problems.length === 0) print('  all bounds held');
  return problems.length > 0 ? 1 : 0;
}
