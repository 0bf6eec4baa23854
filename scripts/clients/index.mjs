// Every client, by its language: how it is made, tested and driven. A file of its own each.
import { existsSync } from 'node:fs';
import { typescript } from './typescript.mjs';

/** In the order of the tables. A language is added with its file. */
const others = ['python', 'go', 'java', 'rust'];

export const clients = [typescript];
for (const language of others) {
  const file = new URL(`${language}.mjs`, import.meta.url);
  if (existsSync(file)) clients.push((await import(file.href))[language]);
}
