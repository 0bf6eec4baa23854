import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryMiB } from '../bench/process-meter.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { ATTACKER_TOKEN, type Attack, type ServeOptions, type Target } from './attack.js';
import { Attacker } from './attacker.js';
import type { Latencies, Phase } from './latencies.js';
import { MemoryGroup } from './memory-group.js';
import { Probe } from './probe.js';
import { Witness } from './witness.js';

const WITNESS_TOKEN = 'token-of-the-well-behaved-client';
/** How long the well-behaved client runs alone, before and after the attack. Unit: ms. */
const ALONE_MS = { short: 1000, full: 10_000 };
/** Before anything is measured: code is compiled, buffers grow. Unit: ms. */
const WARM_UP_MS = { short: 500, full: 3000 };
/** Longest wait for an answer of `/livez`. Unit: ms. */
const LIVEZ_MS = 100;
/** Largest p99 of the well-behaved client during the attack, as a multiple of its value at rest. */
const LATENCY_FACTOR = 10;

/** How an attack is run. */
export interface RunOptions {
  /** True: short, and latencies are printed but not judged. */
  readonly short: boolean;
  /** Memory limit of a cgroup for the sidecar. Unit: MiB. Default: none. */
  readonly cgroupMiB?: number | undefined;
  print(line: string): void;
}

/** Runs one attack against a sidecar of its own. @returns the bounds that did not hold, a sentence each */
export async function runAttack(attack: Attack, options: RunOptions): Promise<string[]> {
  const { short, cgroupMiB, print } = options;
  const form = short ? 'short' : 'full';
  const folder = mkdtempSync(join(tmpdir(), 'sps-attack-'));
  const group = cgroupMiB === undefined ? undefined : new MemoryGroup(cgroupMiB);
  const target: Target = {
    host: '127.0.0.1',
    grpcPort: await freePort(),
    adminPort: await freePort(),
    daemonPort: await freePort(),
  };
  const sidecar = startSidecar(attack.serve ?? {}, target, folder, group);
  const problems: string[] = [];
  let witness: Witness | undefined;
  let probe: Probe | undefined;
  let attacker: Attacker | undefined;
  try {
    await sidecar.ready(target.adminPort);
    const token = attack.serve?.tokens ? WITNESS_TOKEN : undefined;
    witness = await Witness.start(`127.0.0.1:${target.grpcPort}`, token);
    attacker = await Attacker.prepare(attack, target, short);
    await sleep(WARM_UP_MS[form]);
    witness.forgetLatencies();
    probe = new Probe(target.adminPort);
    await sleep(ALONE_MS[form]);
    setPhase('attack', witness, probe);
    const figures = await attacker.run();
    setPhase('after', witness, probe);
    await sleep(ALONE_MS[form]);
    await probe.stop();
    await witness.stop();
    problems.push(...witness.problems, ...probe.problems);

    const peakMiB = (await hasExited(sidecar)) ? Number.NaN : memoryMiB(sidecar.pid, 'peak');
    print(
      `  attacker: ${Object.entries(figures)
        .map(([name, value]) => `${name} ${Math.round(value)}`)
        .join(', ')}`,
    );
    print(`  calls of the well-behaved client: ${byPhase(witness.calls)}`);
    print(`  its messages, until delivered: ${byPhase(witness.deliveries)}`);
    print(`  /livez: ${byPhase(probe.latencies)}`);
    const used = group ? `, of its cgroup ${group.peakMiB.toFixed(0)} of ${cgroupMiB} MiB` : '';
    print(`  peak memory of the sidecar: ${peakMiB.toFixed(0)} MiB resident${used}`);

    // A cgroup's limit stands for memoryMiB, and the kernel enforces it. Resident memory counts files that it can drop.
    const isBoundByGroup = group !== undefined && attack.serve?.memoryMiB !== undefined;
    const boundMiB = isBoundByGroup ? Number.POSITIVE_INFINITY : attack.bounds.peakMiB;
    if (peakMiB > boundMiB)
      problems.push(`the sidecar used ${peakMiB.toFixed(0)} MiB; the bound is ${boundMiB} MiB`);
    if (witness.sent === 0) problems.push('the well-behaved client sent nothing');
    if (!short) problems.push(...late(attack, witness, probe));
  } catch (error) {
    problems.push(`${error instanceof Error ? error.message : error}`);
  } finally {
    await attacker?.end();
    await probe?.stop();
    if (await hasExited(sidecar)) {
      const { code, signal } = await sidecar.exited;
      problems.push(`the sidecar ended with ${signal ?? code}: ${sidecar.stderr.slice(-1000)}`);
    }
    await sidecar.end();
    await witness?.stop();
    group?.remove();
    rmSync(folder, { recursive: true });
  }
  return problems;
}

function startSidecar(
  { flags = [], tokens = false, heapMiB, memoryMiB }: ServeOptions,
  { grpcPort, adminPort, daemonPort }: Target,
  folder: string,
  group: MemoryGroup | undefined,
): ServeProcess {
  const tokenFile = join(folder, 'tokens');
  writeFileSync(tokenFile, `witness ${WITNESS_TOKEN}\nattacker ${ATTACKER_TOKEN}\n`, { mode: 0o600 });
  return new ServeProcess(
    [
      ...['--embedded-daemon', '--embedded-listen', `127.0.0.1:${daemonPort}`, '--embedded-socket', 'off'],
      ...['--grpc-listen', `127.0.0.1:${grpcPort}`, '--admin-listen', `127.0.0.1:${adminPort}`],
      ...(tokens ? ['--grpc-token-file', tokenFile] : []),
      // In a cgroup, the sidecar derives its limit from the cgroup.
      ...(memoryMiB === undefined || group !== undefined ? [] : ['--memory-limit', `${memoryMiB}MiB`]),
      ...flags,
    ],
    heapMiB === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${heapMiB}` },
    group?.launcher,
  );
}

function byPhase(latencies: Latencies): string {
  const phases: Phase[] = ['rest', 'attack', 'after'];
  return phases.map((phase) => `${phase} ${latencies.summary(phase)}`).join('; ');
}

function setPhase(phase: Phase, ...parts: { phase: Phase }[]): void {
  for (const part of parts) part.phase = phase;
}

/** The bounds on time that did not hold. */
function late({ bounds }: Attack, witness: Witness, probe: Probe): string[] {
  const problems: string[] = [];
  const { livezMs = LIVEZ_MS, latencyFactor = LATENCY_FACTOR } = bounds;
  const slowest = probe.latencies.max('attack');
  if (!(slowest <= livezMs))
    problems.push(`/livez took ${slowest.toFixed(0)} ms; the bound is ${livezMs} ms`);
  const [rest, attacked] = [witness.calls.p99('rest'), witness.calls.p99('attack')];
  if (!(attacked <= latencyFactor * rest)) {
    const factor = (attacked / rest).toFixed(1);
    problems.push(
      `p99 of the well-behaved client is ${attacked.toFixed(1)} ms, ${factor} times its value at rest; the bound is ${latencyFactor} times`,
    );
  }
  return problems;
}

async function hasExited(sidecar: ServeProcess): Promise<boolean> {
  const soon = new Promise<false>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([sidecar.exited.then(() => true), soon]);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
