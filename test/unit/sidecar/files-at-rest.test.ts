import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError, loadConfig } from '../../../server/src/config/index.js';
import { Access } from '../../../server/src/sidecar/access.js';
import { filesAtRest } from '../../../server/src/sidecar/files-at-rest.js';
import { TestAuthority } from '../../support/network/certificates.js';
import { temporaryFolder } from '../../support/tmp.js';

const TOKEN = 'alice-token-0123456789';

/**
 * Writes the content in place, in four parts with pauses, like a slow program. The first part is written before
 * this function returns.
 */
function writeSlowly(path: string, contents: string): { readonly done: Promise<void> } {
  const part = (quarters: number) => contents.slice(0, Math.ceil((contents.length * quarters) / 4));
  const write = async () => {
    for (const quarters of [2, 3, 4]) {
      await delay(15);
      writeFileSync(path, part(quarters));
    }
  };
  writeFileSync(path, part(1));
  return { done: write() };
}

describe('filesAtRest', () => {
  it('waits for the end of a write', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    const { done } = writeSlowly(path, 'the whole contents');
    let isWritten = false;
    void done.then(() => {
      isWritten = true;
    });
    expect(await filesAtRest([join(folder, 'absent'), path])).toEqual([]);
    expect(isWritten).toBe(true);
  });

  it('returns in the same turn when no file has changed for a second', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'contents');
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 1500);
    onTestFinished(() => clock.mockRestore());
    const outcome = vi.fn();
    void filesAtRest([path, join(path, 'not-a-folder')]).then(outcome);
    await Promise.resolve();
    await Promise.resolve();
    expect(outcome).toHaveBeenCalledWith([]);
  });

  it('names the files that change without end', async () => {
    const path = join(temporaryFolder(), 'file');
    const still = `${path}.still`;
    for (const name of [path, still]) writeFileSync(name, 'contents');
    let seconds = 0;
    const timer = setInterval(() => utimesSync(path, ++seconds, seconds), 5);
    try {
      expect(await filesAtRest([still, path])).toEqual([path]);
    } finally {
      clearInterval(timer);
    }
  }, 30_000);
});

describe('Access', () => {
  const events = { refused() {}, reloadFailed() {}, loaded() {} };
  const pem: Record<string, string> = {};

  beforeAll(async () => {
    const authority = await TestAuthority.create();
    const other = await TestAuthority.create('other authority');
    const { cert, key } = await authority.server();
    Object.assign(pem, { cert, key, clientCa: [authority.cert, other.cert].join('\n') });
  });

  /** The options without their prefix, with the final content of their files. */
  const kinds = (): [string, string][] => [
    ['GRPC_TLS_CERT', pem.cert!],
    ['GRPC_TLS_KEY', pem.key!],
    ['GRPC_TLS_CLIENT_CA', pem.clientCa!],
    ['GRPC_TOKEN_FILE', `bob bobs-token-0123456789\nalice ${TOKEN}`],
    ['ADMIN_TOKEN_FILE', `${TOKEN}-of-the-admin`],
  ];

  it.each([0, 1, 2, 3, 4])(
    'reads only complete files at the start, file %i being written',
    async (written) => {
      const folder = temporaryFolder();
      const env: Record<string, string> = {};
      for (const [name, contents] of kinds()) {
        env[`SPREAD_SIDECAR_${name}`] = join(folder, name);
        writeFileSync(join(folder, name), contents);
      }
      const [name, contents] = kinds()[written]!;
      const { config } = await loadConfig({ env });
      const { done } = writeSlowly(join(folder, name), contents);
      const loaded: unknown[] = [];
      const access = await Access.open(config, {
        ...events,
        loaded: (kind, facts) => loaded.push([kind, facts]),
      });
      access.stop();
      await done;
      expect(loaded).toMatchObject([
        ['tls', {}],
        ['client-tokens', { count: 2 }],
        ['admin-tokens', { count: 1 }],
      ]);
      const allows = (token: string) => access.admin.acceptsHeader([`Bearer ${token}`]);
      expect([allows(`${TOKEN}-of-the-admin`), allows(TOKEN)]).toEqual([true, false]);
    },
  );

  it('rejects a file that changes without end, and names its option', async () => {
    const path = join(temporaryFolder(), 'tokens');
    writeFileSync(path, TOKEN);
    const { config } = await loadConfig({ env: { SPREAD_SIDECAR_GRPC_TOKEN_FILE: path } });
    let seconds = 0;
    const timer = setInterval(() => utimesSync(path, ++seconds, seconds), 5);
    try {
      const failure = await Access.open(config, events).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ConfigError);
      expect((failure as ConfigError).mistakes).toEqual([
        {
          option: 'grpc.tokenFile',
          where: path,
          message: expect.stringContaining('grpc.tokenFile is a file that changes during each read'),
        },
      ]);
    } finally {
      clearInterval(timer);
    }
  }, 30_000);
});
