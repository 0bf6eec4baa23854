import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const scripts = Object.keys(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).scripts);
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '' && existsSync(path.join(ROOT, name)));

/** A page without its code, which has no links or headings. */
const prose = (text: string) =>
  text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, (code) => code.slice(1, -1));

/** The anchors that GitHub creates for a page's headings. */
const anchors = (text: string) =>
  new Set(
    [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

describe.each(pages)('%s', (name) => {
  const text = readFileSync(path.join(ROOT, name), 'utf8');

  it('has no conflict markers of an unfinished merge', () => {
    expect(text).not.toMatch(/^(<{7}|={7}|>{7})( |$)/m);
  });

  it('names only scripts of package.json', () => {
    const named = [...text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, script]) => script!);
    expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it('links only to existing files and headings', () => {
    const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const dead = links.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [file, anchor] = target.split('#') as [string, string | undefined];
      const to = file === '' ? path.join(ROOT, name) : path.resolve(ROOT, path.dirname(name), file);
      if (!existsSync(to)) return true;
      return anchor !== undefined && !anchors(readFileSync(to, 'utf8')).has(anchor);
    });
    expect(dead).toEqual([]);
  });
});
