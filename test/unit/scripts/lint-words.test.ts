import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../scripts/lint-words.mjs', import.meta.url));
const words = (count: number) => Array(count).fill('word').join(' ');

const TOO_LONG = [
  ['a page', 'a.md', `# Title\n\nFine. Word ${words(12)}\n${words(13)}. Fine.\n`, 3],
  ['a list item', 'b.md', `- **Fine.** Word ${words(25)}.\n`, 1],
  ['a sentence after a code span', 'c.md', `Fine. \`code\` ${words(25)}.\n`, 1],
  [
    'a proto comment',
    'a.proto',
    `message A {\n  // ${words(13)}\n  // ${words(13)}.\n  int32 a = 1;\n}\n`,
    2,
  ],
  ['a message', 'server/src/a.ts', `const a = 1;\nthrow new Error('${words(26)}');\n`, 2],
  ['a message of parts', 'server/src/b.ts', `f(\`${words(12)} \${name} \` +\n  '${words(13)}');\n`, 1],
  ['a message in a value', 'server/src/c.ts', `f(\`no \${\n  a ? '${words(26)}' : b}\`);\n`, 2],
  ['a docstring', 'clients/python/src/a.py', `def f():\n    """Fine.\n\n    ${words(26)}.\n    """\n`, 4],
  ['a message in Go', 'clients/go/a.go', `\nvar e = errors.New("${words(26)}")\n`, 2],
] as const;

const ACCEPTED = [
  ['two sentences of 25 words', `${words(25)}. Word ${words(24)}.\n`],
  ['code blocks', `\`\`\`\n${words(30)}\n\`\`\`\n`],
  ['code spans, as one word each', `${words(24)} \`${words(9)}\`.\n`],
  ['addresses of links', `[${words(25)}](https://example.com/?a=b+c "d e").\n`],
  ['dashes, which are no words', `${words(12)} – ${words(13)}.\n`],
  ['headings and cells of tables', `# ${words(30)}\n\n| ${words(30)} |\n|---|\n| ${words(30)} |\n`],
] as const;

const WORDS = [
  ['anew', 'It starts anew.'],
  ['Whoever', '| Whoever |\n|---|'],
  ['is not to be had', 'It is not\nto be had.'],
  ['knocks', 'A client knocks.'],
  ['grpc', 'It uses grpc.'],
  ['refused', 'The daemon refused it. Connection refused.'],
] as const;

describe('lint:words', () => {
  let folder: string;

  const write = (name: string, text: string) => {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  const lint = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, problems: stderr.split('\n').filter(Boolean) };
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lint-words-'));
    spawnSync('git', ['init', '--quiet'], { cwd: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('checks sentences and words in every kind of text', () => {
    for (const [, name, text] of TOO_LONG) write(name, text);
    for (const [i, [, text]] of ACCEPTED.entries()) write(`accepted-${i}.md`, text);
    for (const [i, [, text]] of WORDS.entries()) write(`words-${i}.md`, `${text}\n`);
    const { status, problems } = lint();
    expect(status).toBe(1);
    const findings = new Map(problems.map((line) => line.split(/(?<=:\d+): /) as [string, string]));
    for (const [what, name, , line] of TOO_LONG)
      expect(findings.get(`${name}:${line}`), what).toBe('sentence of 26 words; at most 25 are allowed');
    for (const [i, [what]] of ACCEPTED.entries())
      expect(problems.join('\n'), what).not.toContain(`accepted-${i}.md`);
    for (const [i, [word]] of WORDS.entries())
      expect(findings.get(`words-${i}.md:1`)).toContain(`Incorrect term: “${word}”`);
    expect(problems).toHaveLength(TOO_LONG.length + WORDS.length);
  });

  it('checks only the named files', () => {
    write('docs/page.md', 'It starts anew.\n');
    write('docs/other.md', 'It starts again.\n');
    expect(lint('docs/other.md')).toEqual({ status: 0, problems: [] });
    expect(lint('docs/page.md').status).toBe(1);
  });

  it('allows the glossary to list the words that other pages must not use', () => {
    write('docs/glossary.md', 'Do not write: anew.\n');
    expect(lint()).toEqual({ status: 0, problems: [] });
  });
});
