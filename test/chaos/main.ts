import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { check, type Violation } from './checker.js';
import type { DaemonChoice } from './daemons.js';
import { count, noFigures, summary, sumOf } from './figures.js';
import { loadHistory } from './history.js';
import { Refusal } from './refusal.js';
import { runRound } from './round.js';
import { startWorld, type World } from './world.js';

export const USAGE = `npm run chaos -- [options]

  --minutes N     go on for so long (default 1, or until --messages)
  --messages N    end when so many messages were given to the sidecar
  --seed N        the first round's seed (default: drawn, and printed); round i has N + i
  --round N       messages in a round (default 10000): each is checked when it is over
  --daemon NAME   a Spread daemon, as 4803@host or /path (default: the embedded one)
  --daemon process  the embedded daemon in a process of its own: it and the sidecar, in one too, are killed (SIGKILL)
                  and started again, stopped (SIGSTOP) and continued
  --daemon real   the same with a real daemon, from SPREAD_HOME
  --cluster N     N real daemons (2 to 9), each with a sidecar, in network namespaces that are parted and healed; takes
                  root and SPREAD_HOME
  --apps N        applications (default 6)
  --groups N      groups (default 4)
  --lanes N       faults that may last at the same time (default 3)
  --keep FOLDER   keep the history of every round there
  --check FILE    checks a history that an earlier run left, and runs nothing

A round with violations ends the run, and its history stays: --seed with the seed that is printed, and --messages
as --round, play its chances again.`;

const SHOWN = 5;

/** Runs rounds. Returns the exit code: 1 after any violation, 2 if a requirement is missing. */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  try {
    return await run(args, print);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    print(error.message);
    return 2;
  }
}

async function run(args: readonly string[], print: (line: string) => void): Promise<number> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: option,
      messages: option,
      seed: option,
      round: option,
      daemon: option,
      cluster: option,
      apps: option,
      groups: option,
      lanes: option,
      check: option,
      keep: option,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  if (values.check !== undefined) {
    const violations = check(loadHistory(values.check));
    explain(violations, print);
    print(`${violations.length} violations`);
    return violations.length > 0 ? 1 : 0;
  }
  const number = (
    name: 'minutes' | 'messages' | 'seed' | 'round' | 'apps' | 'groups' | 'lanes',
    otherwise: number,
  ) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!(value >= 0)) throw new Refusal(`--${name} must be a number of 0 or more; got ${values[name]}`);
    return value;
  };
  const messages = number('messages', Number.POSITIVE_INFINITY);
  const minutes = number('minutes', values.messages === undefined ? 1 : Number.POSITIVE_INFINITY);
  const seed = number('seed', Math.floor(Math.random() * 1e9));
  const perRound = Math.min(number('round', 10_000), messages);
  const apps = number('apps', 6);
  const deadline = performance.now() + minutes * 60_000;
  print(`seed ${seed}`);

  const figures = noFigures();
  const world = await startWorld({ daemon: daemonOf(values), apps });
  // An interrupt must stop processes and remove networks.
  let isInterrupted = false;
  const interrupted = (signal: NodeJS.Signals) => {
    isInterrupted = true;
    void world.stop().finally(() => process.kill(process.pid, signal));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    for (let round = 0; figures.messages < messages && performance.now() < deadline; round += 1) {
      const violations = await oneRound(world, {
        seed: seed + round,
        round,
        messages: perRound,
        faults: 0,
        maxMs: Math.min(Math.max(deadline - performance.now(), 1000), 600_000),
        leaseMs: 2000,
        groups: number('groups', 4),
        lanes: number('lanes', 3),
      });
      if (violations > 0) {
        print(summary(figures, violations));
        return 1;
      }
    }
    print(summary(figures, 0));
    return 0;
  } catch (error) {
    // A round fails when an interrupt stops its processes.
    if (!isInterrupted) throw error;
    return 1;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await world.stop();
  }

  async function oneRound(world: World, options: Parameters<typeof runRound>[1]): Promise<number> {
    const began = performance.now();
    const { entries, ...history } = await runRound(world, options).then((made) => ({
      entries: made.entries,
      save: (path: string) => made.save(path),
    }));
    count(figures, entries);
    const violations = [
      ...check(entries),
      ...world.defects
        .splice(0)
        .map((line): Violation => ({ rule: 'end', message: `the sidecar logged ${line}` })),
    ];
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(
      `round ${options.round}, seed ${options.seed}: ${figures.messages} messages and ${sumOf(figures.faults)} faults so far, ${violations.length} violations, ${seconds} s`,
    );
    if (values.keep !== undefined) history.save(join(values.keep, `history-${options.seed}.ndjson`));
    if (violations.length > 0) {
      explain(violations, print);
      const path = join(mkdtempSync(join(tmpdir(), 'chaos-')), `history-${options.seed}.ndjson`);
      history.save(path);
      print(`history: ${path}`);
    }
    return violations.length;
  }
}

function daemonOf({ daemon, cluster }: { daemon?: string; cluster?: string }): DaemonChoice | undefined {
  if (cluster !== undefined) {
    const size = Number(cluster);
    if (!(Number.isInteger(size) && size >= 2 && size <= 9))
      throw new Refusal(`--cluster must be a whole number from 2 to 9; got ${cluster}`);
    if (daemon !== undefined) throw new Refusal('--cluster brings its own daemons: leave --daemon out');
    return { cluster: size };
  }
  if (daemon === undefined || daemon === 'process' || daemon === 'real') return daemon;
  return { name: daemon };
}

/** Prints the first violation of each rule, because one defect causes many violations. */
function explain(violations: readonly Violation[], print: (line: string) => void): void {
  const rules = [...new Set(violations.map(({ rule }) => rule))];
  for (const rule of rules) {
    const those = violations.filter((violation) => violation.rule === rule);
    for (const { message } of those.slice(0, SHOWN)) print(`VIOLATION ${rule}: ${message}`);
    if (those.length > SHOWN) print(`          … and ${those.length - SHOWN} more of ${rule}`);
  }
}
