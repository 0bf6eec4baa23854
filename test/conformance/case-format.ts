import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ScriptedAnswer } from '../support/scripted/scripted-sidecar.js';

/** The differences of a case's sidecar from the default one, which most cases share. */
export interface Setup {
  /** Options by their environment variables, without the prefix SPREAD_SIDECAR_. */
  readonly options?: Readonly<Record<string, string>>;
  /** Files by name. Options refer to them as `${file:name}`. */
  readonly files?: Readonly<Record<string, string>>;
  /** TLS with a certificate of the suite's authority. mutual: clients need a certificate too. */
  readonly tls?: 'server' | 'mutual';
  /** A TCP link with controllable faults between driver and sidecar. */
  readonly proxy?: boolean;
  /**
   * The daemon of the sidecar. `restartable`: a separate embedded daemon that can be stopped. `scripted`: a
   * connection that sends the frames of the case. Default: the embedded daemon in the sidecar.
   */
  readonly daemon?: 'restartable' | 'scripted';
  /** Runs the sidecar in a separate process, which can be killed. */
  readonly process?: boolean;
  /** Instead of a sidecar: a server that fails each call with this error. */
  readonly fault?: Readonly<Record<string, unknown>>;
  /** `scripted`: instead of a sidecar, a server that the steps control. Such cases run concurrently. */
  readonly sidecar?: 'scripted';
  /** The answers of a scripted sidecar by method. Default: valid answers. */
  readonly answers?: Readonly<Record<string, ScriptedAnswer>>;
  /**
   * A driver process only for this case. `steppable`: the case can change the clock of the machine for this
   * process. The cases of a client whose runtime does not use the clock of the C library are skipped.
   */
  readonly driver?: 'own' | 'steppable';
}

/** A step: a request to the driver, or an action in its environment. */
export interface Step {
  /** A request with its arguments. */
  readonly op?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** The expected part of the response. */
  readonly expect?: unknown;
  /** The expected error of the request. */
  readonly error?: unknown;
  /** Saves parts of the response under a name: `name: path.to.0.it`. */
  readonly save?: Readonly<Record<string, string>>;
  /** Does not wait for the response; `await` with this name does. */
  readonly start?: string;
  /** Repeats the request until the response is as expected. */
  readonly eventually?: boolean;
  /** Waits for the request that was started with this name. */
  readonly await?: string;
  /** Cancels the request that was started with this name. */
  readonly cancel?: string;
  /** An action in the environment, such as `proxy.cut`. */
  readonly do?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  /**
   * The driver may use at most this share of a core from the end of the previous step to the end of this one.
   * The step lasts this long.
   */
  readonly idle?: { readonly ms: number; readonly share: number };
}

/** A case. */
export interface Case {
  readonly name: string;
  /** Its row in the table of clients/README.md. */
  readonly feature: string;
  /** Numbers of the rules in docs/client-rules.md that the case checks. */
  readonly rules: readonly string[];
  readonly setup: Setup;
  readonly transports: readonly ('tcp' | 'unix')[];
  /** Whether it also applies to a real daemon. */
  readonly realDaemon: boolean;
  /** Opens the channel `s` to the sidecar before the first step. */
  readonly open: boolean;
  readonly steps: readonly Step[];
}

const SETUP_KEYS = [
  'options',
  'files',
  'tls',
  'proxy',
  'daemon',
  'process',
  'fault',
  'sidecar',
  'answers',
  'driver',
];
const CASE_KEYS = ['name', 'rules', 'setup', 'transports', 'realDaemon', 'open', 'steps'];
const STEP_KEYS = ['expect', 'error', 'save', 'start', 'eventually', 'await', 'cancel', 'do', 'with', 'idle'];

/** All requests of drivers. Any other name is a typing error. */
const OPS = new Set([
  ...['open', 'waitForReady', 'version', 'list', 'closeSidecar', 'connect', 'attach', 'detach', 'disconnect'],
  ...['join', 'leave', 'multicast', 'receive', 'poll', 'acknowledge', 'view', 'info', 'state', 'notices'],
  ...['exitMailbox', 'exitSidecar'],
  ...['openSender', 'send', 'flush', 'senderState', 'closeSender', 'resources'],
  ...['openRequestReply', 'serve', 'stopServing', 'request', 'requestStatistics', 'closeRequestReply'],
]);

/** Reads the cases of a folder. Throws for invalid ones. */
export function loadCases(folder: string): Case[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const cases = files.sort().flatMap((file) => parseCases(readFileSync(join(folder, file), 'utf8'), file));
  const names = new Set<string>();
  for (const { name } of cases) {
    if (names.has(name)) throw new Error(`two cases are called "${name}"`);
    names.add(name);
  }
  return cases;
}

/** Reads the cases of a file. */
export function parseCases(text: string, file: string): Case[] {
  const content = parse(text) as { feature: string; setup?: Setup; cases: Record<string, unknown>[] };
  check(content, ['feature', 'setup', 'transports', 'realDaemon', 'cases'], file);
  if (typeof content.feature !== 'string') throw new Error(`${file}: feature is missing`);
  return content.cases.map((raw) => toCase(raw, content, file));
}

function toCase(raw: Record<string, unknown>, file: Record<string, unknown>, fileName: string): Case {
  const where = `${fileName}, case "${raw.name}"`;
  check(raw, CASE_KEYS, where);
  const setup = { ...(file.setup as Setup), ...(raw.setup as Setup) };
  check(setup, SETUP_KEYS, `${where}, setup`);
  checkValue(setup.tls, ['server', 'mutual', undefined], `${where}, setup.tls`);
  checkValue(setup.daemon, ['restartable', 'scripted', undefined], `${where}, setup.daemon`);
  checkValue(setup.sidecar, ['scripted', undefined], `${where}, setup.sidecar`);
  checkValue(setup.driver, ['own', 'steppable', undefined], `${where}, setup.driver`);
  const onlyTcp =
    setup.proxy === true ||
    setup.tls !== undefined ||
    setup.fault !== undefined ||
    setup.sidecar !== undefined;
  const transports = (raw.transports ??
    file.transports ??
    (onlyTcp ? ['tcp'] : ['tcp', 'unix'])) as Case['transports'];
  for (const transport of transports) checkValue(transport, ['tcp', 'unix'], `${where}, transports`);
  if (typeof raw.name !== 'string' || !Array.isArray(raw.steps))
    throw new Error(`${where}: name or steps are missing`);
  return {
    name: raw.name,
    feature: file.feature as string,
    rules: (raw.rules ?? []) as string[],
    setup,
    transports,
    realDaemon: (raw.realDaemon ?? file.realDaemon ?? false) as boolean,
    open: (raw.open ?? true) as boolean,
    steps: raw.steps.map((step, i) => toStep(step, `${where}, step ${i + 1}`)),
  };
}

/** In a file, the name of a request is a key: `join: {mailbox: a, group: g}`. */
function toStep(raw: Record<string, unknown>, where: string): Step {
  const ops = Object.keys(raw).filter((key) => OPS.has(key));
  check(raw, [...STEP_KEYS, ...ops], where);
  if (
    ops.length +
      Number('await' in raw) +
      Number('cancel' in raw) +
      Number('do' in raw) +
      Number('idle' in raw) !==
    1
  )
    throw new Error(`${where}: exactly one of a request, await, cancel, do and idle must be there`);
  const judged = 'expect' in raw || 'error' in raw || 'save' in raw;
  if (judged && (ops.length === 0 ? !('await' in raw) : 'start' in raw))
    throw new Error(`${where}: nothing is answered here that could be judged`);
  if ('expect' in raw && 'error' in raw) throw new Error(`${where}: it can not succeed and fail`);
  const [op] = ops;
  if (op === undefined) return raw as Step;
  const { [op]: args, ...rest } = raw;
  return { ...rest, op, args: (args ?? {}) as Record<string, unknown> };
}

function check(object: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(object))
    if (!known.includes(key))
      throw new Error(`${where}: nothing is called ${key}; known: ${known.join(', ')}`);
}

function checkValue(value: unknown, known: readonly unknown[], where: string): void {
  if (!known.includes(value))
    throw new Error(`${where}: ${String(value)} is none of ${known.filter(Boolean).join(', ')}`);
}
