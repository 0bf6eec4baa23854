import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../../..', import.meta.url).pathname;

/** A fenced block of a documentation page. */
export interface Snippet {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of all Markdown pages of the repository. */
export function pageSnippets(root = ROOT): Snippet[] {
  const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return pages
    .trim()
    .split('\n')
    .flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(
        ([, language = '', text = '']) => ({ page, language, text }),
      ),
    );
}
