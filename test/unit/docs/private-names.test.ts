import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A quoted private name as the value of an option, in any of the languages. */
const FIXED_NAME = /(?:private_?name["']?(?:\s*(?::|=>)\s*|=|\()|MailboxOptions::named\()["'`][\w-]+["'`]/gi;
/** A test with its own sidecar never has a name conflict. */
const HAS_OWN_SIDECAR = /^clients\/testcontainers\//;
/** Code that shows how to handle the name conflict. */
const SHOWS_CONFLICT = /REJECT_?NOT_?UNIQUE/i;

const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && !HAS_OWN_SIDECAR.test(name));

const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');

/** The code from a name to the end of its call or statement. */
function restOfCall(code: string, from: number): string {
  let depth = 0;
  for (let i = from; i < code.length; i += 1) {
    if ('([{'.includes(code[i]!)) depth += 1;
    if (')]}'.includes(code[i]!)) depth -= 1;
    if (depth < 0 || (depth === 0 && code[i] === ';')) return code.slice(from, i);
  }
  return code.slice(from);
}

/**
 * The calls with a fixed name and without a conflict policy. They fail when they run again within the lease.
 */
function callsWithoutPolicy(code: string): string[] {
  if (SHOWS_CONFLICT.test(code)) return [];
  return [...code.matchAll(FIXED_NAME)]
    .map(({ index }) => restOfCall(code, index))
    .filter((call) => !/conflict/i.test(call));
}

const snippets = tracked('*.md').flatMap((name) =>
  [...read(name).matchAll(/^ *```\w*\n(.*?)^ *```/gms)].map(([, code]) => [name, code!] as const),
);
const examples = tracked('clients/*/examples/*', 'clients/recipes/*', 'docs/examples/*', 'deploy/*')
  .filter((name) => !name.endsWith('.md'))
  .map((name) => [name, read(name)] as const);

describe('private names in examples', () => {
  it.each([
    ["connect({ privateName: 'a' })", 1],
    ["connect({ privateName: 'a', onNameConflict: 'SUFFIX' })", 0],
    ['connect(private_name="a", lease=60)', 1],
    ['connect(private_name="a", on_name_conflict="SUFFIX")', 0],
    ['MailboxOptions{PrivateName: "a"}', 1],
    ['MailboxOptions{\n\tPrivateName:    "a",\n\tOnNameConflict: SuffixOnConflict,\n}', 0],
    ['new MailboxOptions().privateName("a");', 1],
    ['new MailboxOptions().privateName("a").onNameConflict(NameConflict.SUFFIX);', 0],
    ['connect(MailboxOptions::named("a")).await?; f(on_conflict)', 1],
    ['connect(MailboxOptions::named("a").on_name_conflict(NameConflict::Suffix)).await?;', 0],
    ['grpcurl -d \'{"private_name":"a"}\'', 1],
    ['request.set_private_name("a");', 1],
    ['connect(private_name=name)', 0],
    ['connect(private_name="a")\nexcept REJECT_NOT_UNIQUE', 0],
  ])('the scan finds a name without a conflict policy: %s', (code, count) => {
    expect(callsWithoutPolicy(code)).toHaveLength(count);
  });

  it('every page and example has a conflict policy for each fixed name', () => {
    expect(snippets.length).toBeGreaterThan(60);
    expect(examples.length).toBeGreaterThan(20);
    const found = [...snippets, ...examples].flatMap(([name, code]) =>
      callsWithoutPolicy(code).map((call) => `${name}: ${call}`),
    );
    expect(found).toEqual([]);
  });
});
