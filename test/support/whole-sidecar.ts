import { existsSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { SpreadSidecar } from 'spread-sidecar-client';
import { expect, onTestFinished } from 'vitest';
import { freePort, SidecarProcess } from './sidecar-process.js';
import { temporaryFolder } from './tmp.js';

/** A sidecar process on ports and sockets of its own. */
export interface WholeSidecar {
  readonly process: SidecarProcess;
  /** Which start it again at the same places. */
  readonly args: string[];
  readonly ports: { readonly grpc: number; readonly admin: number; readonly daemon: number };
  readonly sockets: { readonly grpc: string; readonly daemon: string };
  readonly sidecar: SpreadSidecar;
}

/** Starts one with the embedded daemon; resolves when it is ready. */
export async function startWhole(...more: string[]): Promise<WholeSidecar> {
  const folder = temporaryFolder();
  const ports = { grpc: await freePort(), admin: await freePort(), daemon: await freePort() };
  const sockets = { grpc: join(folder, 'grpc.sock'), daemon: join(folder, 'spread.sock') };
  const args = [
    '--embedded-daemon',
    ...['--grpc-listen', `127.0.0.1:${ports.grpc},unix:${sockets.grpc}`],
    ...['--admin-listen', `127.0.0.1:${ports.admin}`],
    ...['--embedded-listen', `127.0.0.1:${ports.daemon}`],
    ...['--embedded-socket', sockets.daemon],
    ...more,
  ];
  const process = new SidecarProcess(args);
  await process.ready(ports.admin);
  const sidecar = new SpreadSidecar({ target: `127.0.0.1:${ports.grpc}` });
  // Where the process is gone there is nobody to say goodbye to.
  onTestFinished(() => sidecar.close({ keepMailboxes: true }));
  return { process, args, ports, sockets, sidecar };
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
