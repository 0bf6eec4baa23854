import { readFileSync } from 'node:fs';
import * as client from 'spread-sidecar-client';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

const page = readFileSync(new URL('../../clients/typescript/README.md', import.meta.url), 'utf8');
/**
 * The blocks that are complete programs: they import the client. The block with TLS needs the reader's certificate
 * files; security-tls.test.ts covers its content.
 */
const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)]
  .map((match) => match[1] as string)
  .filter((block) => block.includes("from 'spread-sidecar-client'") && !block.includes('tls: {'));

/** Runs a program with only the targets of the sidecar and the daemon replaced. Returns its output. */
async function run(program: string, target: string): Promise<string> {
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => void lines.push(values.join(' ')) };
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const body = ts
    .transpile(`async () => {${program.replace(/^import .*$/gm, '')}}`, options)
    .replace("'unix:/run/spread-sidecar.sock'", `'${target}'`)
    .replace(/, spreadName: '[^']*'/, '');
  const names = {
    ...client,
    console,
    connect: (given: client.MailboxOptions) => client.connect({ target, ...given }),
  };
  const source = body.replace('async () =>', 'return async () =>');
  await new Function(...Object.keys(names), source)(...Object.values(names))();
  return lines.join('\n');
}

describe("the client's README", () => {
  it('has a first multicast that runs', async () => {
    const { target, registry } = await startSidecar();
    expect(await run(programs[0] as string, target)).toBe('#alice#localhost to cats: hello (type 7)');
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('has two mailboxes over one channel, which end with the block', async () => {
    const { target, registry } = await startSidecar();
    expect(programs).toHaveLength(3);
    await run(programs[1] as string, target);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('has a message with headers that arrives', async () => {
    const { target } = await startSidecar();
    expect(await run(programs[2] as string, target)).toBe('application/json {"n":1}');
  });
});
