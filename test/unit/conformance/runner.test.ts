// The cases' own variables look like template literals.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are written so in the cases
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCases } from '../../conformance/case-format.js';
import { DriverProcess } from '../../conformance/driver-process.js';
import { differences } from '../../conformance/matching.js';
import { runCase, type Surroundings } from '../../conformance/run-case.js';
import { Variables } from '../../conformance/variables.js';

const HERE = { act: async () => {}, release: async () => {} } satisfies Surroundings;

/**
 * A minimal driver. It responds to each request with `reply`, a JavaScript expression of `id`, `op` and
 * `args`.
 */
async function driver(reply: string): Promise<DriverProcess> {
  const program = `
    console.log('{"ready":true,"language":"fake"}');
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, op, args } = JSON.parse(line);
      const answer = ${reply};
      if (answer) console.log(JSON.stringify({ id, ...answer }));
    });`;
  const started = await DriverProcess.start({ command: process.execPath, args: ['-e', program] }, 'fake');
  onTestFinished(() => started.kill());
  return started;
}

const one = (steps: string) =>
  parseCases(
    `feature: x\ncases:\n  - name: a case\n    steps:\n${steps.replace(/^/gm, '      ')}`,
    'file.yaml',
  )[0]!;

const run = async (steps: string, reply: string) =>
  runCase(one(steps), await driver(reply), new Variables(), HERE);

describe('the runner', () => {
  it('accepts the expected responses, and saves values', async () => {
    await run(
      "- connect: { mailbox: a }\n  expect: { id: { $atLeast: 7 } }\n  save: { n: id }\n- join: { mailbox: a, group: 'g${n}' }\n  expect: { group: g7 }",
      '({ ok: { ...args, id: 7 } })',
    );
  });

  it.each([
    ['another value', '- poll: {}\n  expect: { a: 1 }', '({ ok: { a: 2 } })', 'answer.a: expected 1, got 2'],
    [
      'a missing value',
      '- poll: {}\n  expect: { a: { b: 1 } }',
      '({ ok: {} })',
      'answer.a: expected an object',
    ],
    [
      'too few entries',
      '- poll: {}\n  expect: { a: [1, 2] }',
      '({ ok: { a: [1] } })',
      'expected 2 entries, got 1',
    ],
    [
      'a success that was to fail',
      '- poll: {}\n  error: { reason: X }',
      '({ ok: {} })',
      'expected a failure',
    ],
    [
      'another failure',
      '- poll: {}\n  error: { reason: X }',
      "({ error: { kind: 'spread', reason: 'Y' } })",
      'answer.reason',
    ],
    [
      'a failure of the driver',
      '- poll: {}\n  error: {}',
      "({ error: { kind: 'driver', message: 'm' } })",
      'answer.kind',
    ],
    [
      'a failure that was to succeed',
      '- poll: {}',
      "({ error: { kind: 'spread', reason: 'Y' } })",
      'it failed',
    ],
    ['a driver that ends', '- poll: {}', 'process.exit(3)', 'the driver has ended with 3'],
    ['a driver that prints nonsense', '- poll: {}', "console.log('nonsense')", 'what is no JSON: nonsense'],
    [
      'a driver that never rests',
      '- poll: {}\n- idle: { ms: 300, share: 0.3 }',
      '(setImmediate(function f() { setImmediate(f) }), { ok: {} })',
      'of a core while it had nothing to do',
    ],
  ])('reports %s', async (_what, steps, reply, message) => {
    await expect(run(steps, reply)).rejects.toThrow(message);
  });

  it("shows the step and the driver's log", async () => {
    const failing = run('- poll: {}\n  expect: { a: 1 }', "(console.error('from the log'), { ok: {} })");
    await expect(failing).rejects.toThrow(/step 1, .*poll[\s\S]*from the log/);
  });

  it('repeats a request until the response is as expected', async () => {
    await run(
      '- poll: {}\n  eventually: true\n  expect: { n: 3 }',
      '({ ok: { n: (globalThis.n = (globalThis.n ?? 0) + 1) } })',
    );
  });

  it('starts a request and waits for it later', async () => {
    await run(
      '- start: r\n  receive: {}\n- cancel: r\n- await: r\n  error: { reason: given up }',
      "(op === 'receive' ? (globalThis.r = id, undefined) : (console.log(JSON.stringify({ id: globalThis.r, error: { kind: 'spread', reason: 'given up' } })), { ok: {} }))",
    );
  });

  it('rejects a driver of another language', async () => {
    const command = { command: process.execPath, args: ['-p', '\'{"ready":true,"language":"fake"}\''] };
    await expect(DriverProcess.start(command, 'real')).rejects.toThrow('calls itself fake, not real');
  });
});

describe('a file of cases', () => {
  it.each([
    ['- wrong: {}', 'file.yaml, case "a case", step 1: nothing is called wrong'],
    ['- poll: {}\n  join: {}', 'exactly one of a request'],
    ['- expect: {}', 'exactly one of a request'],
    ['- poll: {}\n  expects: {}', 'nothing is called expects'],
    ['- start: p\n  poll: {}\n  expect: {}', 'nothing is answered here'],
    ['- do: proxy.cut\n  expect: {}', 'nothing is answered here'],
    ['- poll: {}\n  expect: {}\n  error: {}', 'it can not succeed and fail'],
  ])('rejects the step %s', (steps, message) => {
    expect(() => one(steps)).toThrow(message);
  });

  it.each([
    ['transports: [tpc]', 'transports: tpc is none of tcp, unix'],
    ['setup: { tls: yes please }', 'setup.tls: yes please is none of server, mutual'],
    ['setup: { daemon: real }', 'setup.daemon: real is none of restartable, scripted'],
    ['setup: { proxies: true }', 'nothing is called proxies'],
  ])('rejects %s', (line, message) => {
    expect(() => parseCases(`feature: x\ncases:\n  - name: a\n    ${line}\n    steps: []`, 'f')).toThrow(
      message,
    );
  });

  it('states over which transports a case runs', () => {
    const [plain, proxied] = parseCases(
      'feature: x\ncases:\n  - { name: a, steps: [] }\n  - { name: b, setup: { proxy: true }, steps: [] }',
      'f',
    );
    expect(plain?.transports).toEqual(['tcp', 'unix']);
    expect(proxied?.transports).toEqual(['tcp']);
  });
});

describe('expected values', () => {
  it.each<[unknown, unknown, boolean]>([
    [{ $any: true }, 0, true],
    [{ $any: true }, undefined, false],
    [{ $matches: '^a' }, 'abc', true],
    [{ $matches: '^a' }, 'cba', false],
    [{ $atLeast: 2 }, 2, true],
    [{ $atLeast: 2 }, 1, false],
    [{ $atMost: 2 }, 3, false],
    [{ $atMostAbove: [2, 1] }, 3, true],
    [{ $atMostAbove: [2, 1] }, 4, false],
    [{ $not: [1] }, [2], true],
    [{ $not: [1] }, [1], false],
    [{ $length: 2 }, [1, 2], true],
    [{ $has: [{ a: 1 }] }, [{ a: 2 }, { a: 1, b: 2 }], true],
    [{ $has: [{ a: 3 }] }, [{ a: 2 }, { a: 1 }], false],
    [{ $hasExactly: [{ a: 2 }, { a: 1 }] }, [{ a: 1, b: 2 }, { a: 2 }], true],
    [{ $hasExactly: [{ a: 1 }] }, [{ a: 1 }, { a: 2 }], false],
    [{ $hasExactly: [{ a: 1 }, { a: 1 }] }, [{ a: 1 }, { a: 2 }], false],
    [{ $hasExactly: [] }, undefined, false],
    [{ $inAnyOrder: [2, 1] }, [1, 2], true],
    [{ $inAnyOrder: [2, 2] }, [1, 2], false],
    [{ $each: { a: 1 } }, [{ a: 1 }, { a: 2 }], false],
    [{ $unknown: 1 }, 1, false],
    [null, undefined, false],
  ])('%j of %j: %j', (expected, got, matches) => {
    expect(differences(expected, got)).toHaveLength(matches ? 0 : 1);
  });

  it('has fresh names, and bytes as base64', () => {
    const variables = new Variables();
    const name = variables.expand('${alice}') as string;
    expect(name).toMatch(/^alic[0-9a-f]{6}$/);
    expect(variables.expand({ a: ['#${alice}#'], b: { $text: '${alice}' } })).toEqual({
      a: [`#${name}#`],
      b: Buffer.from(name).toString('base64'),
    });
    expect(new Variables().expand('${alice}')).not.toBe(name);
    expect(variables.expand({ $repeat: ['ab', 3] })).toBe(Buffer.from('ababab').toString('base64'));
    expect(variables.expand({ $hex: '00ff' })).toBe(Buffer.from([0, 255]).toString('base64'));
    expect(variables.expand({ $times: ['ab', 3] })).toBe('ababab');
  });
});
