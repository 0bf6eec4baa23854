import { existsSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { SpreadSidecar } from 'spread-sidecar-client';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from '../tmp.js';
import { freePort, SidecarProcess } from './sidecar-process.js';

/** A sidecar process with its own ports and sockets. */
export interface WholeSidecar {
  readonly process: SidecarProcess;
  /** The ports, including the embedded daemon's. */
  readonly ports: { readonly grpc: number; readonly admin: number; readonly daemon?: number };
  readonly sockets: { readonly grpc: string; readonly daemon?: string };
  /** A client that detaches its mailboxes at the end of the test. */
  readonly sidecar: SpreadSidecar;
  /** Starts another process with the same ports and sockets. */
  spawnAgain(): SidecarProcess;
  /** The same, and waits until it is ready. The previous process must have ended. */
  again(): Promise<SidecarProcess>;
}

/** Starts a sidecar with the embedded daemon. Resolves when it is ready. */
export async function startWhole(...more: string[]): Promise<WholeSidecar> {
  const port = await freePort();
  const socket = join(temporaryFolder(), 'spread');
  const daemon = ['--embedded-listen', `127.0.0.1:${port}`, '--embedded-socket', socket];
  const started = await start(['--embedded-daemon', ...daemon, ...more]);
  return {
    ...started,
    ports: { ...started.ports, daemon: port },
    sockets: { ...started.sockets, daemon: socket },
  };
}

/** Starts a sidecar that uses this daemon. Resolves when it is ready. */
export function startWholeAt(daemon: string, ...more: string[]): Promise<WholeSidecar> {
  return start(['--daemon-addresses', daemon, ...more]);
}

async function start(more: string[]): Promise<WholeSidecar> {
  const ports = { grpc: await freePort(), admin: await freePort() };
  const sockets = { grpc: join(temporaryFolder(), 'grpc') };
  const args = [
    ...['--grpc-listen', `127.0.0.1:${ports.grpc},unix:${sockets.grpc}`],
    ...['--admin-listen', `127.0.0.1:${ports.admin}`],
    ...more,
  ];
  const spawnAgain = () => new SidecarProcess(args);
  const again = async () => {
    const process = spawnAgain();
    await process.ready(ports.admin);
    return process;
  };
  const process = await again();
  const sidecar = new SpreadSidecar({ target: `127.0.0.1:${ports.grpc}` });
  // If the process has ended, mailboxes cannot be disconnected.
  onTestFinished(() => sidecar.close({ keepMailboxes: true }));
  return { process, ports, sockets, sidecar, spawnAgain, again };
}

/** A page of the admin port; undefined if there is no response. */
export async function adminPage(
  { ports }: WholeSidecar,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: string } | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${ports.admin}${path}`, init);
    return { status: response.status, body: await response.text() };
  } catch {
    return undefined;
  }
}

/** Checks that the sidecar has no open ports and no socket files. */
export async function expectNothingLeft({ ports, sockets }: WholeSidecar): Promise<void> {
  for (const port of Object.values(ports)) expect(await listens(port)).toBe(false);
  for (const socket of Object.values(sockets)) expect(existsSync(socket)).toBe(false);
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = openSocket(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
