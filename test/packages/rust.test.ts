import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { firstProgram } from './readme-programs.js';
import { unbuiltClone } from './unbuilt-clone.js';

const home = new URL('../../clients/rust', import.meta.url).pathname;

const manifest = (client: string) => `
[package]
name = "hello"
version = "0.0.0"
edition = "2024"

[dependencies]
spread-sidecar-client = { path = "${client}" }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[profile.dev]
debug = "line-tables-only"
`;

describe.skipIf(!isAvailable('packages') || !isAvailable('rust'))(
  'the Rust crate of an unbuilt clone',
  () => {
    it('runs the program of the README in an empty project, also while an earlier run holds the name', async () => {
      const clone = temporaryFolder();
      unbuiltClone(clone, 'clients/rust');
      // The tests of the Rust client have already compiled the dependencies of the crate.
      const env = { ...process.env, CARGO_TARGET_DIR: join(home, 'target') };
      const cargo = (cwd: string, ...args: string[]) =>
        runCommand('cargo', args, { cwd, env, timeoutMs: 800_000 });
      const packing = ['package', '--no-verify', '--allow-dirty', '-p', 'spread-sidecar-client'];
      await cargo(join(clone, 'clients/rust'), ...packing);
      const [, version] = /^version = "(.+)"$/m.exec(readFileSync(join(home, 'Cargo.toml'), 'utf8'))!;
      const name = `spread-sidecar-client-${version}`;
      const unpacked = temporaryFolder();
      await runCommand('tar', ['-xzf', join(home, 'target/package', `${name}.crate`), '-C', unpacked]);
      const client = join(unpacked, name);
      expect(readFileSync(join(client, 'LICENSE'), 'utf8')).toContain('Apache License');

      const project = temporaryFolder();
      mkdirSync(join(project, 'src'));
      writeFileSync(join(project, 'Cargo.toml'), manifest(client));
      writeFileSync(join(project, 'src/main.rs'), firstProgram('clients/rust/README.md', 'rust'));
      // The versions that are already compiled.
      copyFileSync(join(home, 'Cargo.lock'), join(project, 'Cargo.lock'));
      const { target } = await startSidecar();
      await connect({ target, privateName: 'hello' });
      expect(await cargo(project, 'run', '-q', '--', target)).toBe(
        '#hello2#localhost to greetings: hello, group (type 7)\n',
      );
    }, 900_000);
  },
);
