import { execFileSync, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { onTestFinished } from 'vitest';
import { BUILT_PROGRAM } from '../support/built-program.js';
import { until, within } from '../support/until.js';

/** The built program in a pseudo terminal of util-linux' `script`. Afterwards, the terminal prints its exit code and settings. */
export function startOnTerminal(size: { columns: number; rows: number }, args: readonly string[]) {
  const quoted = [process.execPath, BUILT_PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
  const steps = [
    'echo "terminal $(tty)"',
    `stty cols ${size.columns} rows ${size.rows}`,
    `sh -c 'echo "program $$"; exec "$0" "$@"' ${quoted}`,
    'echo "exit code $?"',
    'echo "settings $(stty -a)" | tr "\\n" " "',
  ];
  const child = spawn('script', ['-qfc', steps.join('; '), '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  onTestFinished(async () => {
    child.stdin.destroy();
    child.kill('SIGKILL');
    await exited;
  });
  const found = (pattern: RegExp) => pattern.exec(output)?.[1];
  return {
    get output() {
      return output;
    },
    /** The visible lines. */
    get screen() {
      return screenOf(output);
    },
    type: (keys: string) => void child.stdin.write(keys),
    resize({ columns, rows }: { columns: number; rows: number }) {
      const terminal = found(/terminal (\S+)/)!;
      execFileSync('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)]);
    },
    /** Sends a signal to the program. */
    signal(name: NodeJS.Signals) {
      process.kill(Number(found(/program (\d+)/)), name);
    },
    /** The exit code of the program, and the settings of the terminal after it. */
    async ended() {
      const code = await until(() => found(/exit code (\d+)/), {
        what: 'the program exits',
        timeoutMs: 10_000,
      });
      await within(exited, 'the shell in the terminal exits');
      return { exitCode: Number(code), settings: found(/settings (.*)/s)!.split(/[\s;]+/) };
    },
  };
}

/** The lines on the screen, of a program that clears each line at its position and writes the whole line. */
function screenOf(output: string): string[] {
  const visible = output.split('\x1b[?1049h').at(-1)!.split('\x1b[2J').at(-1)!;
  const lines: string[] = [];
  // Each part ends with the position of the next line.
  const parts = visible.split('\x1b[2K');
  for (const [at, part] of parts.slice(1).entries()) {
    const row = Number(/(\d+);1H$/.exec(parts[at]!)?.[1]);
    lines[row - 1] = stripVTControlCharacters(part);
  }
  return Array.from(lines, (line) => line ?? '');
}
