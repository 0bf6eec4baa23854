import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const CLIENTS = fileURLToPath(new URL('../../../clients/', import.meta.url));

/** Where each language defines public names, and what a definition looks like. */
const LANGUAGES = [
  {
    name: 'TypeScript',
    folder: 'typescript/src',
    extension: '.ts',
    definition: (id: string) =>
      new RegExp(
        `^(export .*\\b(function|class|interface|type|const) |  (async |get |readonly )*\\*?)${id}\\b`,
        'm',
      ),
  },
  {
    name: 'Python',
    folder: 'python/src/spread_sidecar',
    extension: '.py',
    definition: (id: string) =>
      new RegExp(`^((async )?def |class |    def |    )${id}\\b(\\(|:| =)|^${id} = `, 'm'),
  },
  {
    name: 'Go',
    folder: 'go',
    extension: '.go',
    definition: (id: string) => new RegExp(`^(func (\\(.*?\\) )?${id}\\(|type ${id} |\\t${id} )`, 'm'),
  },
  {
    name: 'Java',
    folder: 'java/src/main/java/org/spreadsidecar/client',
    extension: '.java',
    definition: (id: string) =>
      new RegExp(
        `^( *(public|record|default|static) .*\\b${id}\\b[(<]?|.*[ (]${id}(,|\\)))|class ${id}\\b`,
        'm',
      ),
  },
  {
    name: 'Rust',
    folder: 'rust/src',
    extension: '.rs',
    definition: (id: string) =>
      new RegExp(`^ *pub (async )?(fn|struct|enum|type) ${id}\\b|^    pub ${id}:`, 'm'),
  },
] as const;

function sourceOf({ folder, extension }: (typeof LANGUAGES)[number]): string {
  const files = readdirSync(join(CLIENTS, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(extension) && !/(^|\/)(gen|examples|internal)\/|_test\.go$/.test(file))
    .map((file) => readFileSync(join(CLIENTS, folder, file), 'utf8'))
    .join('\n');
}

const page = readFileSync(join(CLIENTS, 'README.md'), 'utf8');
const table = page.split('\n## Names\n')[1]!.split('\n## ')[0]!;
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Concept'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe.each(LANGUAGES.map((language, index) => ({ ...language, index })))(
  'the names of the $name client',
  ({ index, definition, ...language }) => {
    const source = sourceOf({ ...language, definition } as (typeof LANGUAGES)[number]);

    it.each(rows)('%s', (...cells) => {
      const name = cells[index + 1]!.replaceAll('`', '');
      if (name !== '–') expect(source).toMatch(definition(name));
    });

    it('are checked', () => {
      expect(rows.length).toBeGreaterThan(40);
      expect(source).not.toMatch(definition('noSuchName'));
    });
  },
);
