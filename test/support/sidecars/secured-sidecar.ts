import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type SidecarOptions, SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { expect, onTestFinished } from 'vitest';
import { loadConfig } from '../../../server/src/config/index.js';
import { createLogger } from '../../../server/src/observability/log/logger.js';
import { createSidecar } from '../../../server/src/sidecar.js';
import { linesOutsideSchema } from '../log-schema.js';
import { temporaryFolder } from '../tmp.js';

/** A complete sidecar with the embedded daemon, with an operator's options. */
export interface SecuredSidecar {
  /** The targets for clients. */
  readonly targets: readonly string[];
  /** The complete log, at every level. */
  readonly log: () => string;
  /** A client of the first address, which is closed at the end of the running test. */
  client(options?: SidecarOptions): SpreadSidecar;
  /** The generated client of the first address, without TLS. */
  rawClient(): MailboxServiceClient;
  stop(): Promise<void>;
  /** Drains like SIGTERM, with the configured grace period. */
  drain(): Promise<void>;
  /** Resolves when it has stopped by itself. */
  readonly stopped: Promise<void>;
  /** host:port of the admin port. */
  readonly admin: string;
  /** The page of /metrics. */
  metrics(): Promise<string>;
}

/** @param env - variables without the prefix SPREAD_SIDECAR_ */
export async function startSecured(env: Readonly<Record<string, string>>): Promise<SecuredSidecar> {
  const { config, sources } = await loadConfig({
    env: Object.fromEntries(
      Object.entries({
        EMBEDDED_DAEMON: 'true',
        EMBEDDED_LISTEN: 'off',
        EMBEDDED_SOCKET: join(temporaryFolder(), 'spread'),
        GRPC_LISTEN: '127.0.0.1:0',
        GRPC_RELOAD_INTERVAL: '50ms',
        ADMIN_LISTEN: '127.0.0.1:0',
        ...env,
      }).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value]),
    ),
  });
  let text = '';
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  const logger = createLogger({ level: 'trace', format: 'json', destination });
  const sidecar = createSidecar(config, { logger, version: '0.0.0-test', configSources: sources });
  onTestFinished(async () => {
    await sidecar.stop({ graceMs: 0 });
    expect(linesOutsideSchema(text)).toEqual([]);
  });
  await sidecar.start();
  const targets = sidecar.addresses.grpc;
  return {
    targets,
    log: () => text,
    client(options = {}) {
      const client = new SpreadSidecar({ target: targets[0]!, callTimeoutMs: 5000, ...options });
      onTestFinished(() => client.close().catch(() => {}));
      return client;
    },
    rawClient() {
      const client = new MailboxServiceClient(targets[0]!, credentials.createInsecure());
      onTestFinished(() => client.close());
      return client;
    },
    stop: () => sidecar.stop({ graceMs: 0 }),
    drain: () => sidecar.stop(),
    stopped: sidecar.stopped,
    admin: sidecar.addresses.admin!,
    metrics: async () => (await fetch(`http://${sidecar.addresses.admin}/metrics`)).text(),
  };
}

/** Replaces a file atomically, as editors and Kubernetes do. */
export function put(path: string, text: string): string {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return path;
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<SpreadError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SpreadError)) throw error;
  return error;
}

/** Checks that the log contains no mailbox ID, no certificate and none of these secrets. */
export function expectNoSecrets(sidecar: SecuredSidecar, ...secrets: readonly string[]): void {
  for (const secret of secrets) expect(sidecar.log()).not.toContain(secret);
  expect(sidecar.log()).not.toMatch(/-----BEGIN|\b[0-9a-f]{32}\b/);
}
