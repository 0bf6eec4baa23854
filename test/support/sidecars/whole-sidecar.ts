import { existsSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { SpreadSidecar } from 'spread-sidecar-client';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from '../tmp.js';
import { freePort, SidecarProcess } from './sidecar-process.js';

/** A sidecar process on ports and sockets of its own. */
export interface WholeSidecar {
  readonly process: SidecarProcess;
  /** Where it listens, the embedded daemon included. */
  readonly ports: { readonly grpc: number; readonly admin: number; readonly daemon?: number };
  readonly sockets: { readonly grpc: string; readonly daemon?: string };
  /** A client that gives its mailboxes up when the test ends. */
  readonly sidecar: SpreadSidecar;
  /** Another process at the same places. */
  spawnAgain(): SidecarProcess;
  /** The same, when it is ready. The one before has to be gone. */
  again(): Promise<SidecarProcess>;
}

/** Starts one with the embedded daemon; resolves when it is ready. */
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

/** Starts one that uses this daemon; resolves when it is ready. */
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
  // Where the process is gone there is nobody to say goodbye to.
  onTestFinished(() => sidecar.close({ keepMailboxes: true }));
  return { process, ports, sockets, sidecar, spawnAgain, again };
}

/** A page of its admin port; undefined when nobody answers there. */
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

/** It listens nowhere, and no socket file is there. */
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
