import { readdirSync, readFileSync } from 'node:fs';
import { ErrorReason } from 'spread-sidecar-proto';
import { beforeAll, describe, expect, it } from 'vitest';
import * as constants from '../../clients/typescript/src/constants.js';
import * as predicates from '../../clients/typescript/src/type-predicates.js';
import { type Client, clients } from '../../scripts/clients/index.mjs';
import { isAvailable } from '../support/requirements.mjs';
import { examplesRun, run, sidecarTargets } from './examples.js';

const go = clients.find(({ language }) => language === 'go') as Required<Client>;
const home = new URL('../../clients/go/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, home), 'utf8');

describe.skipIf(!isAvailable('go'))('the Go client', () => {
  beforeAll(() => go.prepare(), 600_000);

  it('passes its own tests, with the race detector and its examples', async () => {
    const [target = ''] = await sidecarTargets();
    const printed = await run(go.test(), { SPREAD_SIDECAR_TARGET: target });
    expect(printed).toMatch(/^ok {2}\t\S+\/clients\/go\t/m);
    expect(printed).not.toContain('skipped');
  }, 600_000);

  examplesRun(go);
});

describe("the Go client's README", () => {
  it('contains only tested code', () => {
    const linesOf = (text: string) => text.split('\n').map((line) => line.trim());
    const tested = [
      'example_test.go',
      ...readdirSync(new URL('examples', home)).map((name) => `examples/${name}/main.go`),
    ]
      .map((name) => linesOf(read(name)).join('\n'))
      .join('\n');
    const blocks = [...read('README.md').matchAll(/^```go\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) {
      // The README may show a part of an import with its parentheses.
      const lines = linesOf(block.replace(/^import \(\n([\s\S]*)\)\n/, '$1'))
        .join('\n')
        .trim();
      expect(tested).toContain(lines);
    }
  });
});

describe("the Go client's names", () => {
  const source = ['constants.go', 'service.go', 'codes.go'].map(read).join('\n');

  it('have all constants of Spread, with their values', () => {
    const found = Object.fromEntries(
      [...source.matchAll(/^(?:const |\t)([A-Z]\w*)(?: \w+)? += (-?[\w]+)$/gm)].map(([, name, value]) => [
        name,
        Number(value?.replaceAll('_', '')),
      ]),
    );
    const words = (name: string) =>
      name.toLowerCase().replace(/(^|_)([a-z])/g, (_all, _gap, letter) => letter.toUpperCase());
    const wanted = Object.entries(constants).map(([name, value]) => [words(name), value]);
    expect(found).toMatchObject(Object.fromEntries(wanted));
  });

  it("have all predicates of Spread's header", () => {
    for (const name of Object.keys(predicates))
      expect(source).toContain(`func (s Service) ${name[0]?.toUpperCase()}${name.slice(1)}() bool`);
  });

  it("have all of the sidecar's reasons", () => {
    const reasons = Object.keys(ErrorReason).filter(
      (name) => /^[A-Z_]+$/.test(name) && !/^UN(SPECIFIED|RECOGNIZED)$/.test(name),
    );
    expect(reasons.length).toBeGreaterThan(30);
    for (const reason of reasons)
      expect(read('reasons.go')).toMatch(new RegExp(`Reason = "${reason}"$`, 'm'));
  });
});

describe("the Go client's version", () => {
  it("is the project's", () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(read('version.go')).toContain(`const ClientVersion = "${version}"`);
  });
});
