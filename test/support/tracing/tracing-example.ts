import { spawn } from 'node:child_process';
import { expect, onTestFinished } from 'vitest';
import { type Client, clients } from '../../../scripts/clients/index.mjs';
import { until } from '../until.js';

/** A running tracing example of a client. */
export function startTracingExample(language: string, args: readonly string[]) {
  const client = clients.find((one) => one.language === language) as Required<Client>;
  const { command, args: all, cwd, env } = client.example('tracing', args);
  const child = spawn(command, all, { cwd, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  const ended = new Promise((resolve) => child.once('close', resolve));
  /** The IDs that the example prints after these words. */
  const ids = async (words: string) => {
    // A whole line, because Java writes a line in several parts.
    const pattern = new RegExp(
      `^${words} ([0-9a-f]{32}) ([0-9a-f]{16})(?: after ([0-9a-f]{16}))?\\r?\\n`,
      'm',
    );
    await until(() => pattern.test(output) || (child.exitCode ?? 0) > 0, {
      timeoutMs: 20_000,
      what: `${language} prints "${words}"`,
    });
    const [, traceId, spanId, after] = pattern.exec(output) ?? [];
    expect(traceId, output).toBeDefined();
    return { traceId, spanId, after };
  };
  const ready = () =>
    until(() => output.includes('ready\n'), { timeoutMs: 20_000, what: `${language} is ready` });
  return { ids, ready, ended };
}
