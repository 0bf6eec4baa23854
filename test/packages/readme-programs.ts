import { readFileSync } from 'node:fs';

/** The first code block of a language in a page. The page promises that it is a complete program. */
export function firstProgram(page: string, language: string): string {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text);
  if (!block) throw new Error(`${page} has no block in ${language}`);
  return block[1] as string;
}
