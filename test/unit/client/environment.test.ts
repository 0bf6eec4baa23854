import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SidecarOptions, SpreadSidecar, type TlsOptions } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { completeOptions } from '../../../clients/typescript/src/environment.js';
import { temporaryFolder } from '../../support/tmp.js';

interface SharedCase {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly given: SidecarOptions;
  readonly expected?: unknown;
  readonly error?: { readonly at: string; readonly field?: string; readonly message: string };
}

const shared = JSON.parse(
  readFileSync(new URL('../../conformance/environment.json', import.meta.url), 'utf8'),
) as { files: Record<string, string>; cases: SharedCase[] };

function plain({ target, tls, token, insecure }: SidecarOptions): unknown {
  const { ca, cert, key, serverName } = (tls ?? {}) as TlsOptions;
  const text = (pem: string | Buffer | undefined) => pem?.toString() ?? null;
  return {
    target: target ?? '127.0.0.1:4813',
    tls: tls && { ca: text(ca), cert: text(cert), key: text(key), serverName: serverName ?? null },
    token: (typeof token === 'function' ? token() : token) ?? null,
    insecure: insecure ?? false,
  };
}

describe('options from the environment', () => {
  it.each(shared.cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const folder = temporaryFolder();
    for (const [name, text] of Object.entries(shared.files)) writeFileSync(join(folder, name), text);
    const environment = Object.fromEntries(
      Object.entries(one.environment).map(([name, value]) => [name, value.replace('FOLDER', folder)]),
    );
    if (one.error === undefined) {
      const options = plain(completeOptions(one.given, environment)) as { tls: unknown };
      expect({ ...options, tls: options.tls ?? null }).toEqual(one.expected);
      return;
    }
    const { at, field, message } = one.error;
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const failing =
      at === 'connect'
        ? () => new SpreadSidecar(one.given)
        : (completeOptions(one.given, environment).token as () => string);
    expect(failing).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
    if (field)
      expect(failing).toThrow(expect.objectContaining({ metadata: expect.objectContaining({ field }) }));
  });
});
