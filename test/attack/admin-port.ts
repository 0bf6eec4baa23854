import type { Target } from './attack.js';
import { Attacker } from './attacker.js';
import { ATTACKS } from './attacks/index.js';
import { Probe } from './probe.js';

/** How an admin port is attacked. */
export interface AdminPortOptions {
  /** Default: 1. The first attack, packets of pipelined requests, runs so often, in its full form. */
  readonly pipeliningRounds?: number;
  print(line: string): void;
}

/**
 * Attacks the admin port of a sidecar that runs already, such as one in a container: every `admin-` attack in its short form, while
 * a probe asks `/livez`.
 *
 * @returns what went wrong with the probe, a sentence each
 */
export async function attackAdminPort(
  host: string,
  adminPort: number,
  { pipeliningRounds = 1, print }: AdminPortOptions,
): Promise<string[]> {
  const target: Target = { host, adminPort, grpcPort: 0, daemonPort: 0 };
  const probe = new Probe(adminPort, host);
  probe.phase = 'attack';
  try {
    for (const attack of ATTACKS.filter(({ name }) => name.startsWith('admin-'))) {
      const isLong = attack.name === 'admin-pipelining';
      for (let round = 0; round < (isLong ? pipeliningRounds : 1); round++) {
        const attacker = await Attacker.prepare(attack, target, !isLong);
        const figures = Object.entries(await attacker.run().finally(() => attacker.end()));
        print(`${attack.name}: ${figures.map(([name, value]) => `${name} ${Math.round(value)}`).join(', ')}`);
      }
    }
  } finally {
    await probe.stop();
  }
  print(`/livez during the attacks: ${probe.latencies.summary('attack')}`);
  if (probe.latencies.count('attack') === 0) return ['/livez was never asked'];
  return probe.problems;
}
