/**
 * The starts of a test file's titles, up to the colon: of `it('NAME: …'`, and of the rows of a table of
 * `it.each([…])('%s: …'`. Skipped and todo tests do not count.
 */
export function titleNames(source: string): Set<string> {
  const found = new Set<string>();
  if (/\bdescribe\.(skip|todo)/.test(source)) return found;
  for (const [, name] of source.matchAll(/^ {2}it\(\s*(?:'|")([^:'"]+): /gm)) found.add(name as string);
  // Tables: from `it.each([` to the title. The name is the first text of each row.
  for (const [, table] of source.matchAll(/^ {2}it\.each\(\[([\s\S]*?)\](?: as const)?\)\(\s*'%s: /gm)) {
    const text = table as string;
    const rows = [...text.matchAll(/^ {4}\[\s*'([^']+)',/gm)];
    for (const [, name] of rows.length > 0 ? rows : text.matchAll(/'([^']+)'/g)) found.add(name as string);
  }
  return found;
}
