import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SpreadAddress } from '../../../server/src/spread/address.js';
import { temporaryFolder } from '../tmp.js';
import type { ClientRecording } from '../wire/transcripts.js';

/** A step of a scripted daemon on a connection. The next step starts when it is done. */
export type DaemonStep =
  /** Waits for exactly these bytes from the client, in any pieces. */
  | { expect: Uint8Array }
  /** Sends bytes. With `chunk`, in writes of that size, one in each turn of the event loop. */
  | { send: Uint8Array; chunk?: number }
  /** Waits until the client has half-closed the connection. */
  | { awaitEnd: true }
  /** Closes with FIN. */
  | { end: true }
  /** Closes with RST. */
  | { reset: true }
  /** Waits for a promise of the test. */
  | { wait: Promise<unknown> };

export interface ScriptedDaemon {
  readonly address: SpreadAddress;
  /** The Spread name. */
  readonly spreadName: string;
  /** Resolves when all scripts have ended. Rejects when a client sends unexpected bytes. */
  readonly finished: Promise<void>;
  /** All connections, in order. */
  readonly sockets: readonly Socket[];
  /** All bytes that connection `index` has sent. */
  received(index?: number): Buffer;
}

export interface ScriptedDaemonOptions {
  /** Default: tcp, on a free port of the loopback interface. */
  transport?: 'tcp' | 'unix';
}

/**
 * A daemon that plays scripts, one of `scripts` for each connection. It is closed with all connections at the
 * end of the running test.
 */
export async function scriptedDaemon(
  scripts: readonly (readonly DaemonStep[])[],
  options: ScriptedDaemonOptions = {},
): Promise<ScriptedDaemon> {
  const sockets: Socket[] = [];
  const inboxes: Inbox[] = [];
  const runs = scripts.map(() => {
    let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
    const done = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    done.catch(() => {});
    return { done, settle: settle! };
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const index = sockets.push(socket) - 1;
    const inbox = new Inbox(socket);
    inboxes.push(inbox);
    const run = runs[index];
    if (run === undefined) {
      socket.destroy();
      return;
    }
    play(scripts[index]!, socket, inbox).then(run.settle.resolve, run.settle.reject);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = await listen(server, options.transport ?? 'tcp');
  return {
    address,
    spreadName: address.kind === 'tcp' ? `${address.port}@${address.host}` : address.path,
    finished: Promise.all(runs.map(({ done }) => done)).then(() => {}),
    sockets,
    received: (index = 0) => inboxes[index]?.all() ?? Buffer.alloc(0),
  };
}

async function listen(server: Server, transport: 'tcp' | 'unix'): Promise<SpreadAddress> {
  const path = transport === 'unix' ? join(temporaryFolder(), 's') : undefined;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  if (path !== undefined) return { kind: 'unix', path };
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return { kind: 'tcp', host: '127.0.0.1', port: bound.port };
}

async function play(script: readonly DaemonStep[], socket: Socket, inbox: Inbox): Promise<void> {
  for (const step of script) {
    if ('expect' in step) await inbox.expect(Buffer.from(step.expect));
    else if ('send' in step)
      await send(socket, Buffer.from(step.send), step.chunk ?? Number.POSITIVE_INFINITY);
    else if ('awaitEnd' in step) await inbox.ended;
    else if ('wait' in step) await step.wait;
    else if ('end' in step) socket.end();
    else socket.resetAndDestroy();
  }
}

async function send(socket: Socket, bytes: Buffer, chunk: number): Promise<void> {
  for (let start = 0; start < bytes.length; start += chunk) {
    socket.write(bytes.subarray(start, Math.min(bytes.length, start + chunk)));
    if (chunk < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The bytes that a client has sent. */
class Inbox {
  readonly ended: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #expected = 0;
  #check: () => void = () => {};
  #over = false;

  constructor(socket: Socket) {
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#over = true;
        this.#check();
        resolve();
      };
      socket.on('end', end);
      socket.on('close', end);
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#check();
    });
  }

  all(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  expect(bytes: Buffer): Promise<void> {
    const start = this.#expected;
    this.#expected += bytes.length;
    return new Promise((resolve, reject) => {
      this.#check = () => {
        const got = this.all().subarray(start, start + bytes.length);
        if (!got.equals(bytes.subarray(0, got.length))) {
          reject(new Error(`expected ${bytes.toString('hex')}, got ${got.toString('hex')}`));
        } else if (got.length === bytes.length) resolve();
        else if (this.#over)
          reject(new Error(`the client ended after ${got.length} of ${bytes.length} bytes`));
      };
      this.#check();
    });
  }
}

/** The daemon's steps for one recorded client. */
export function scriptOf(recording: ClientRecording): DaemonStep[] {
  return [...recording.handshake, ...recording.session].flatMap((step): DaemonStep[] => {
    const repeated = (make: () => DaemonStep): DaemonStep[] => Array.from({ length: step.repeat }, make);
    switch (step.dir) {
      case 'send':
        return repeated(() => ({ expect: step.bytes }));
      case 'recv':
        return repeated(() => ({ send: step.bytes }));
      case 'eof':
        return [step.reset ? { reset: true } : { end: true }];
      case 'close':
        return [{ awaitEnd: true }];
      default:
        return [];
    }
  });
}

/** The connect request of Spread 5.0.1's own library. */
export function connectRequestBytes(name: string, flags = 0x01): Buffer {
  return Buffer.concat([Buffer.from([5, 0, 1, flags, name.length]), Buffer.from(name, 'latin1')]);
}

/** The choice: `NULL` in the first of three slots. */
export const NULL_CHOICE = Buffer.concat([Buffer.from('NULL'), Buffer.alloc(86)]);
/** The auth list in a daemon's format. */
export const NULL_LIST = Buffer.from('\x05NULL ', 'latin1');

/** The bytes with which a daemon of this version accepts. */
export function acceptBytes(privateGroup: string, version: readonly number[] = [5, 0, 1]): Buffer {
  return Buffer.concat([
    Buffer.from([1, ...version, privateGroup.length]),
    Buffer.from(privateGroup, 'latin1'),
  ]);
}

/** A successful handshake for the client `name`. `first` arrives together with the accept. */
export function acceptScript(name = 'a', first: Uint8Array = Buffer.alloc(0)): DaemonStep[] {
  return [
    { expect: connectRequestBytes(name) },
    { send: NULL_LIST },
    { expect: NULL_CHOICE },
    { send: Buffer.concat([acceptBytes(`#${name}#localhost`), first]) },
  ];
}
