import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { encodeTransition, encodeView } from '../../server/src/spread/wire/index.js';
import { FakeMailboxService, type Fault } from '../support/clients/fake-mailbox-service.js';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { acceptScript, type ScriptedDaemon, scriptedDaemon } from '../support/daemons/scripted-daemon.js';
import { TestAuthority } from '../support/network/certificates.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { freePort } from '../support/sidecars/serve-process.js';
import { startWhole, startWholeAt, type WholeSidecar } from '../support/sidecars/whole-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { buildFrame } from '../support/wire/frame-builder.js';
import type { Case } from './case-format.js';
import type { Surroundings } from './run-case.js';
import type { Variables } from './variables.js';

/** How the driver reaches the sidecar. */
export interface Place {
  readonly tcp: string;
  readonly unix: string;
}

/** Actions by their target, such as `proxy`. */
type Acts = Record<string, (verb: string, args: Record<string, unknown>) => Promise<void> | void>;

/**
 * Starts the environment of a case and sets its variables: target, targets of both kinds, certificates,
 * tokens. Everything stops at the end of the running test.
 */
export async function setStage(
  { setup }: Case,
  transport: 'tcp' | 'unix',
  plain: Place,
  variables: Variables,
): Promise<Surroundings> {
  const acts: Acts = {};
  const place = await startPlace(setup, plain, variables, acts);
  const target = setup.proxy ? await behindProxy(place, acts) : place[transport];
  variables.set('target', target);
  variables.set('tcpTarget', place.tcp);
  variables.set('plainTarget', plain.tcp);
  variables.set('port', place.tcp.slice(place.tcp.lastIndexOf(':') + 1));
  variables.set('path', place.unix.slice('unix:'.length));
  variables.set('closedTarget', `127.0.0.1:${await freePort()}`);
  variables.set('missingSocket', `unix:${join(temporaryFolder(), 'missing')}`);
  return {
    async release() {
      for (const part of Object.keys(acts)) await acts[part]?.('release', {});
    },
    async act(action, args) {
      const [part = '', verb = ''] = action.split('.');
      const act = acts[part];
      if (act === undefined) throw new Error(`this case has no ${part}`);
      await act(verb, args);
    },
  };
}

async function startPlace(
  setup: Case['setup'],
  plain: Place,
  variables: Variables,
  acts: Acts,
): Promise<Place> {
  if (setup.fault) return faulty(setup.fault);
  const options: Record<string, string> = { ...setup.options };
  const files = filesOf(setup, variables);
  if (setup.tls) Object.assign(options, await secure(setup.tls, variables));
  if (setup.daemon) Object.assign(options, await daemonOf(setup.daemon, variables, acts));
  if (setup.process) return ofProcess(options, acts);
  if (Object.keys(options).length === 0) return plain;
  for (const [name, value] of Object.entries(options))
    options[name] = value.replaceAll(/\$\{file:([^}]+)\}/g, (_, file: string) => files.get(file) ?? file);
  const unix = join(temporaryFolder(), 'grpc');
  const started = await startSecured({ GRPC_LISTEN: `127.0.0.1:0,unix:${unix}`, ...options });
  acts.sidecar = async (verb) => {
    if (verb === 'release') return;
    if (verb !== 'drain') throw new Error(`a sidecar in the suite's process can not ${verb}`);
    void started.drain();
  };
  variables.set('adminTarget', started.admin);
  const tcp = started.targets.find((target) => !target.startsWith('unix:')) as string;
  return { tcp, unix: `unix:${unix}` };
}

function filesOf({ files = {} }: Case['setup'], variables: Variables): Map<string, string> {
  const folder = temporaryFolder();
  return new Map(
    Object.entries(files).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, String(variables.expand(text)), { mode: 0o600 });
      return [name, path];
    }),
  );
}

async function secure(kind: 'server' | 'mutual', variables: Variables): Promise<Record<string, string>> {
  const authority = await TestAuthority.create();
  const other = await TestAuthority.create('another authority');
  const server = await authority.server();
  const client = await authority.client('driver');
  const folder = temporaryFolder();
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  variables.set('ca', authority.cert);
  variables.set('otherCa', other.cert);
  variables.set('clientCert', client.cert);
  variables.set('clientKey', client.key);
  return {
    GRPC_LISTEN: '127.0.0.1:0',
    GRPC_TLS_CERT: file('server.crt', server.cert),
    GRPC_TLS_KEY: file('server.key', server.key),
    ...(kind === 'mutual' ? { GRPC_TLS_CLIENT_CA: file('ca.crt', authority.cert) } : {}),
  };
}

async function daemonOf(
  kind: 'restartable' | 'scripted',
  variables: Variables,
  acts: Acts,
): Promise<Record<string, string>> {
  if (kind === 'restartable') {
    const daemon = await RestartableDaemon.start();
    acts.daemon = (verb) => {
      if (verb === 'stop') return daemon.stop();
      if (verb === 'start') return daemon.start();
      if (verb === 'restart') return daemon.restart();
      if (verb === 'release') return;
      throw new Error(`a daemon can not ${verb}`);
    };
    return { EMBEDDED_DAEMON: 'false', DAEMON_ADDRESSES: daemon.address };
  }
  // The sidecar monitors another daemon; the mailbox names this one.
  const daemon = await scriptedDaemon([acceptScript('scripted')]);
  variables.set('scriptedDaemon', daemon.spreadName);
  acts.daemon = (verb, args) => speak(daemon, verb, args);
  return { DAEMON_ALLOW: daemon.spreadName };
}

/** Sends a frame that only a daemon in a ring would send. */
function speak(daemon: ScriptedDaemon, verb: string, args: Record<string, unknown>): void {
  if (verb === 'release') {
    for (const socket of daemon.sockets) socket.destroy();
    return;
  }
  const {
    group = 'g',
    members = [],
    sets = [members],
    cause = 'NETWORK',
    index = 1,
    ownSetIndex = 0,
  } = args as {
    group?: string;
    members?: string[];
    sets?: string[][];
    cause?: 'JOIN' | 'LEAVE' | 'DISCONNECT' | 'NETWORK';
    index?: number;
    ownSetIndex?: number;
  };
  const groupId = { words: [0x7f000001, 1_700_000_000, index] as [number, number, number] };
  const frames: Record<string, () => Buffer> = {
    view: () => encodeView({ group, groupId, cause, members, vsSets: sets, ownSetIndex }),
    transition: () => encodeTransition(group, groupId),
    // Spread 5.0.1: the type is REJECT, and the word after the header is the type of the rejected message.
    reject: () =>
      buildFrame({
        type: 0x00400000 | 0x10,
        privateGroup: '#scripted#localhost',
        groups: [group, '#scripted#localhost'],
        messageType: 7,
        oldType: 0x10,
        data: Buffer.from('refused'),
      }),
  };
  const frame = frames[verb];
  if (frame === undefined) throw new Error(`a scripted daemon can not ${verb}`);
  daemon.sockets[0]?.write(frame());
}

async function ofProcess(options: Record<string, string>, acts: Acts): Promise<Place> {
  const { DAEMON_ADDRESSES, EMBEDDED_DAEMON: _, ...rest } = options;
  const flags = Object.entries(rest).flatMap(([name, value]) => [
    `--${name.toLowerCase().replaceAll('_', '-')}`,
    value,
  ]);
  const whole: WholeSidecar = DAEMON_ADDRESSES
    ? await startWholeAt(DAEMON_ADDRESSES, ...flags)
    : await startWhole(...flags);
  let running = whole.process;
  acts.sidecar = async (verb) => {
    if (verb === 'release') return;
    if (verb === 'kill') running.kill('SIGKILL');
    else if (verb === 'stop') running.kill('SIGTERM');
    else if (verb === 'restart') {
      await running.exited;
      running = await whole.again();
      return;
    } else throw new Error(`a sidecar can not ${verb}`);
    if (verb === 'kill') await running.exited;
  };
  return { tcp: `127.0.0.1:${whole.ports.grpc}`, unix: `unix:${whole.sockets.grpc}` };
}

async function behindProxy(place: Place, acts: Acts): Promise<string> {
  const proxy = await FaultProxy.start(Number(place.tcp.slice(place.tcp.lastIndexOf(':') + 1)));
  onTestFinished(() => proxy.stop());
  acts.proxy = (verb) => {
    if (verb === 'cut') proxy.cut();
    else if (verb === 'reset') proxy.reset();
    else if (verb === 'halfOpen') proxy.halfOpen('client');
    else if (verb === 'silence') proxy.silent = true;
    else if (verb === 'refuse') {
      proxy.refusing = true;
      proxy.cut();
    } else if (verb === 'heal' || verb === 'release') proxy.heal();
    else throw new Error(`a proxy can not ${verb}`);
  };
  return `127.0.0.1:${proxy.port}`;
}

async function faulty(fault: Readonly<Record<string, unknown>>): Promise<Place> {
  const service = await FakeMailboxService.start();
  onTestFinished(() => service.stop());
  const { method, code, ...rest } = fault as { method: string; code: keyof typeof status };
  // More than the retries of any client.
  service.fail(method, ...Array.from({ length: 100 }, (): Fault => ({ ...rest, code: status[code] })));
  return { tcp: service.target, unix: service.target };
}
