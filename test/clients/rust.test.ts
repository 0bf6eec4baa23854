import { readdirSync, readFileSync } from 'node:fs';
import { ErrorReason } from 'spread-sidecar-proto';
import { beforeAll, describe, expect, it } from 'vitest';
import * as constants from '../../clients/typescript/src/constants.js';
import * as predicates from '../../clients/typescript/src/type-predicates.js';
import { type Client, clients } from '../../scripts/clients/index.mjs';
import { isAvailable } from '../support/requirements.mjs';
import { examplesRun, run, sidecarTargets } from './examples.js';

const rust = clients.find(({ language }) => language === 'rust') as Required<Client>;
const home = new URL('../../clients/rust/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, home), 'utf8');

describe.skipIf(!isAvailable('rust'))('the Rust client', () => {
  beforeAll(() => rust.prepare(), 600_000);

  it('passes its own tests', async () => {
    for (const target of await sidecarTargets()) {
      const printed = await run(rust.test(), { SPREAD_SIDECAR_TARGET: target });
      expect([...printed.matchAll(/^test result: ok\. [1-9]/gm)].length).toBeGreaterThan(3);
      expect(printed).not.toContain('skipped');
    }
  }, 600_000);

  it('passes rustfmt and clippy', async () => {
    const { command, cwd, env } = rust.test();
    await run({ command, args: ['fmt', '--all', '--check'], cwd, env });
    const lint = ['clippy', '--release', '--locked', '--workspace', '--all-targets'];
    await run({ command, args: [...lint, '--', '-D', 'warnings'], cwd, env });
  }, 600_000);

  examplesRun(rust);
});

describe("the Rust client's README", () => {
  it('contains only tested code', () => {
    const linesOf = (text: string) => text.split('\n').map((line) => line.trim());
    const tested = [
      'tests/readme.rs',
      ...readdirSync(new URL('examples', home)).map((name) => `examples/${name}`),
    ]
      .map((name) => linesOf(read(name)).join('\n'))
      .join('\n');
    const blocks = [...read('README.md').matchAll(/^```rust\n([\s\S]*?)^```/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) expect(tested).toContain(linesOf(block).join('\n').trim());
  });
});

describe("the Rust client's names", () => {
  const source = ['src/constants.rs', 'src/service.rs'].map(read).join('\n');

  it('have all constants of Spread, with their values', () => {
    const found = Object.fromEntries([
      ...[...source.matchAll(/pub const (\w+): \w+ = (?:Self\()?([\w-]+)\)?;/g)].map(([, name, value]) => [
        name,
        Number(value?.replaceAll('_', '')),
      ]),
      ...[...read('src/code.rs').matchAll(/\(Code::(\w+), "(\w+)"\)/g)].map(([, variant, name]) => [
        name,
        Number(new RegExp(`^ +${variant} = (-?\\d+),$`, 'm').exec(read('src/code.rs'))?.[1]),
      ]),
    ]);
    expect(found).toMatchObject({ ...constants });
  });

  it("have all predicates of Spread's header", () => {
    for (const name of Object.keys(predicates))
      expect(source).toContain(
        `pub const fn ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}(self)`,
      );
  });

  it("have all of the sidecar's reasons", () => {
    const reasons = Object.keys(ErrorReason).filter(
      (name) => /^[A-Z_]+$/.test(name) && !/^UN(SPECIFIED|RECOGNIZED)$/.test(name),
    );
    expect(reasons.length).toBeGreaterThan(30);
    for (const reason of reasons) expect(read('src/reason.rs')).toContain(`, "${reason}"),`);
  });
});

describe("the Rust client's package", () => {
  it("has the project's version and licence", () => {
    const { version, license } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(read('Cargo.toml')).toContain(`\nversion = "${version}"\n`);
    expect(read('Cargo.toml')).toContain(`\nlicense = "${license}"\n`);
    expect(read('Cargo.lock')).toContain(`name = "spread-sidecar-client"\nversion = "${version}"\n`);
  });

  it('names only the registry of cargo', () => {
    const sources = new Set([...read('Cargo.lock').matchAll(/^source = (.*)$/gm)].map((match) => match[1]));
    expect([...sources]).toEqual(['"registry+https://github.com/rust-lang/crates.io-index"']);
  });
});
