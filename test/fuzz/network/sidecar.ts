import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mailbox, SpreadSidecar } from 'spread-sidecar-client';
import { loadConfig } from '../../../server/src/config/index.js';
import { createLogger } from '../../../server/src/observability/index.js';
import { createSidecar } from '../../../server/src/sidecar.js';
import { TestAuthority } from '../../support/network/certificates.js';
import { within } from '../../support/until.js';
import { Violation } from '../engine/target.js';
import { freshFolder } from './folder.js';

/** A whole sidecar with the embedded daemon, and two well-behaved mailboxes. */
export interface FuzzedSidecar {
  /** Port of the TCP listener. */
  readonly grpcPort: number;
  /** host:port. */
  readonly admin: string;
  /** The CA for TLS clients. Empty without TLS. */
  readonly authority: string;
  /** A well-behaved client. */
  client(): SpreadSidecar;
  /**
   * Checks that the well-behaved mailboxes receive each other's messages, that the admin port responds, and that
   * no error was logged.
   */
  isUnharmed(): Promise<void>;
  /** Waits until connections with ended sessions are closed, which takes some seconds. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

/** The sidecar checks a connection after 5 s of silence, and a handshake can take 10 s. Unit: ms. */
const QUIET_MS = 30_000;

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

export async function startFuzzedSidecar({ tls = false } = {}): Promise<FuzzedSidecar> {
  const folder = freshFolder();
  const material = tls ? await certificates(folder.path) : undefined;
  const { config } = await loadConfig({
    flags: {
      'grpc-listen': '127.0.0.1:0',
      'admin-listen': '127.0.0.1:0',
      'embedded-daemon': 'true',
      'embedded-listen': 'off',
      'embedded-socket': join(folder.path, 's'),
      'mailbox-lease-min': '1s',
      ...(material ? { 'grpc-tls-cert': material.cert, 'grpc-tls-key': material.key } : {}),
    },
  });
  const errors: string[] = [];
  const sidecar = createSidecar(config, {
    logger: createLogger({
      level: 'error',
      format: 'json',
      destination: { write: (line) => errors.push(line.trim()) },
    }),
    version: '0.0.0-fuzz',
  });
  await sidecar.start();
  const [target] = sidecar.addresses.grpc;
  const client = () =>
    new SpreadSidecar({
      target: target!,
      callTimeoutMs: 10_000,
      ...(material ? { tls: { ca: material.authority } } : {}),
    });
  const good = await SidecarBystanders.connect(client());
  const admin = sidecar.addresses.admin!;
  const ours = sockets();
  return {
    grpcPort: Number(target!.split(':').at(-1)),
    admin,
    authority: material?.authority ?? '',
    client,
    async isUnharmed() {
      await good.areUnharmed();
      for (const page of ['livez', 'readyz', 'metrics']) {
        const answer = await fetch(`http://${admin}/${page}`);
        await answer.arrayBuffer();
        if (answer.status !== 200) throw new Violation(`/${page} answers ${answer.status}`);
      }
      const [error] = errors.splice(0);
      if (error) throw new Violation(`the sidecar logged ${error}`);
    },
    async quiet() {
      const limit = performance.now() + QUIET_MS;
      while (sockets() > ours + 4 && performance.now() < limit)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async stop() {
      await good.leave();
      await sidecar.stop({ graceMs: 0 });
      folder.remove();
    },
  };
}

async function certificates(folder: string) {
  const authority = await TestAuthority.create();
  const server = await authority.server();
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return { cert: file('crt', server.cert), key: file('key', server.key), authority: authority.cert };
}

class SidecarBystanders {
  #count = 0;

  private constructor(
    private readonly sidecar: SpreadSidecar,
    private readonly sender: Mailbox,
    private readonly receiver: Mailbox,
  ) {}

  static async connect(sidecar: SpreadSidecar): Promise<SidecarBystanders> {
    const receiver = await sidecar.connect({ autoReceive: true });
    await receiver.join('good', { awaitView: true });
    return new SidecarBystanders(sidecar, await sidecar.connect(), receiver);
  }

  async areUnharmed(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      this.#count += 1;
      await this.sender.multicast(0x10, 'good', Buffer.from(`good ${this.#count}`));
      const text = await within(this.#next(), 'the bystander gets its message', 10_000);
      if (text !== `good ${this.#count}`) throw new Violation(`the bystander got '${text.slice(0, 40)}'`);
    }
  }

  /** Messages of the sender. Other clients may also send to the group. */
  async #next(): Promise<string> {
    for (;;) {
      const event = await this.receiver.receive();
      if (event.kind === 'regular' && event.sender === this.sender.privateGroup) return event.text();
    }
  }

  async leave(): Promise<void> {
    await this.sidecar.close().catch(() => {});
  }
}
