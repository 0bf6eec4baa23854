import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createContext } from '../../../../server/src/cli/context.js';
import { Interruption } from '../../../../server/src/cli/terminal/interruption.js';
import { Output } from '../../../../server/src/cli/terminal/output.js';

/** A stream whose reader the test controls. */
class SlowStream extends Writable {
  readonly taken: string[] = [];
  #next: (() => void) | undefined;

  constructor(readonly isTTY = false) {
    super({ highWaterMark: 4 });
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.taken.push(String(chunk));
    this.#next = done;
  }

  read(): void {
    this.#next?.();
  }
}

const settled = async (promise: Promise<unknown>) => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

describe('output', () => {
  it('waits for a slow reader', async () => {
    const stream = new SlowStream();
    const output = new Output(stream, false, () => {});
    const writing = output.write('long enough');
    expect(await settled(writing)).toBe(false);
    stream.read();
    expect(await settled(writing)).toBe(true);
  });

  it('does not wait for a closed reader, and writes no more', async () => {
    const stream = new SlowStream();
    const onGone = vi.fn();
    const output = new Output(stream, false, onGone);
    const writing = output.write('long enough');
    const error = Object.assign(new Error('broken'), { code: 'EPIPE' });
    stream.destroy(error);
    await writing;
    expect(onGone).toHaveBeenCalledWith(error);
    await output.write('more');
    await output.close();
    expect(stream.taken).toEqual(['long enough']);
  });

  it('has colors on a terminal if enabled', () => {
    const colored = (isTTY: boolean, wanted: boolean) =>
      new Output(new SlowStream(isTTY), wanted, () => {}).colors.red('x') !== 'x';
    expect([colored(true, true), colored(true, false), colored(false, true)]).toEqual([true, false, false]);
  });

  it.each([
    [{}, true],
    [{ NO_COLOR: '' }, true],
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
  ])('is colored with %j: %s', (env, colored) => {
    const stdin = process.stdin;
    const context = createContext({ stdin, stdout: new SlowStream(true), stderr: new SlowStream(), env });
    expect(context.stdout.colors.red('x') !== 'x').toBe(colored);
    void context.close();
  });
});

describe('a command whose output has no reader any more', () => {
  const broken = (code: string) => Object.assign(new Error('broken'), { code });
  const contextOf = (stdout: Writable) =>
    createContext({ stdin: process.stdin, stdout, stderr: new SlowStream(), env: {} });

  it('stops gracefully', async () => {
    const stdout = new SlowStream();
    const context = contextOf(stdout);
    stdout.destroy(broken('EPIPE'));
    await vi.waitFor(() => expect(context.signal.aborted).toBe(true));
    expect(context.signal.reason).toBeInstanceOf(Interruption);
    expect(context.signal.reason).toMatchObject({ exitCode: 0 });
  });

  it('fails for other errors, such as a full disk', async () => {
    const stdout = new SlowStream();
    const context = contextOf(stdout);
    stdout.destroy(broken('ENOSPC'));
    await vi.waitFor(() => expect(context.signal.reason).toMatchObject({ exitCode: 1 }));
  });

  it('continues if it does not need a reader', async () => {
    const stdout = new SlowStream();
    const context = contextOf(stdout);
    context.runWithoutReader();
    stdout.destroy(broken('EPIPE'));
    await vi.waitFor(() => expect(stdout.destroyed).toBe(true));
    await context.stdout.line('to nobody');
    expect(context.signal.aborted).toBe(false);
  });
});
