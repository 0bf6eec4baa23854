import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationPage } from '../../../server/src/config/docs-page.js';
import { loadConfig } from '../../../server/src/config/index.js';
import { optionRows } from '../../../server/src/config/option-rows.js';

const page = new URL('../../../docs/configuration.md', import.meta.url);

it('docs/configuration.md is generated from the table (else: npm run gen)', () => {
  expect(readFileSync(page, 'utf8')).toBe(configurationPage());
});

it('names every option with its variable and the reason for its default', () => {
  const text = configurationPage();
  for (const row of optionRows)
    for (const part of [row.key, row.environment, row.why]) expect(text).toContain(part);
});

it("the page's example is valid", async () => {
  const text = /```yaml\n(.*?)```/s.exec(configurationPage())![1]!;
  await expect(loadConfig({ file: { path: 'example', text } })).resolves.toBeDefined();
});
