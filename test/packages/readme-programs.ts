import { readFileSync } from 'node:fs';

/** The first block of a page in a language, which the page promises to be a whole program. */
export function firstProgram(page: string, language: string): string {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text);
  if (!block) throw new Error(`${page} has no block in ${language}`);
  return block[1] as string;
}
