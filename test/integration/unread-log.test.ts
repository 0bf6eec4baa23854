import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_PROGRAM } from '../support/built-program.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

describe('a sidecar whose standard error is not read', () => {
  it('continues to serve, and ends at SIGTERM', async () => {
    const port = await freePort();
    const args = [
      '--embedded-daemon',
      '--embedded-listen',
      'off',
      '--admin-listen',
      'off',
      '--log-level',
      'trace',
    ];
    const socket = join(temporaryFolder(), 'spread');
    const child = spawn(
      process.execPath,
      [BUILT_PROGRAM, 'serve', ...args, '--embedded-socket', socket, '--grpc-listen', `127.0.0.1:${port}`],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    onTestFinished(() => void child.kill('SIGKILL'));
    const sidecar = new SpreadSidecar({ target: `127.0.0.1:${port}` });
    onTestFinished(() => sidecar.close({ keepMailboxes: true }));
    const serves = () =>
      sidecar.connect().then(
        (mailbox) => mailbox.disconnect().then(() => true),
        () => false,
      );
    await until(serves, {
      timeoutMs: 10_000,
      what: 'the sidecar serves',
    });
    // More lines than the pipe and the buffers of both processes hold.
    for (let round = 0; round < 60; round++) {
      const mailboxes = await Promise.all(Array.from({ length: 20 }, () => sidecar.connect()));
      await Promise.all(mailboxes.map((mailbox) => mailbox.disconnect()));
    }
    child.kill('SIGTERM');
    expect(await within(exited, 'the exit', 15_000)).toEqual({ code: 0, signal: null });
  }, 60_000);
});
