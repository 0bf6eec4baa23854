import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, clients } from '../../scripts/clients/index.mjs';
import { loadConfig } from '../../server/src/config/index.js';
import { createLogger } from '../../server/src/observability/log/logger.js';
import { createSidecar } from '../../server/src/sidecar.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { until } from '../support/until.js';
import { type Case, loadCases } from './case-format.js';
import { DriverProcess } from './driver-process.js';
import { reasonCases } from './reasons.js';
import { runCase } from './run-case.js';
import { describeScriptedCases } from './scripted-suite.js';
import { type Place, setStage } from './stage.js';
import { closeAll, type Start, titleOf } from './suite-parts.js';
import { targetCases } from './targets.js';
import { Variables } from './variables.js';

const CASES: readonly Case[] = [
  ...loadCases(fileURLToPath(new URL('cases', import.meta.url))),
  ...reasonCases(),
  ...targetCases(),
];
/** Timeout of a client's first build on a small machine. Unit: ms. */
const PREPARE_MS = 600_000;
const CASE_MS = 40_000;

const isScripted = ({ setup }: Case) => setup.sidecar === 'scripted';

/** The whole suite for one language. `variant` is its second driver, such as Python's asyncio. */
export function conformance(language: string, variant?: string): void {
  const client = clients.find((known) => known.language === language);
  const chosen = process.env.CONFORMANCE_LANGUAGES?.split(',') ?? [language];
  // `npm test` runs only what needs Node.
  const isIncluded = language === 'typescript' || process.env.TEST_SUITES !== 'node';
  const runs = isIncluded && client?.isAvailable(process.env) && chosen.includes(language);
  const title = variant === undefined ? language : `${language}, ${variant}`;
  describe.skipIf(!runs)(`conformance: ${title}`, () => {
    beforeAll(() => client?.prepare(), PREPARE_MS);
    const start: Start = (env = {}) => {
      if (client === undefined) throw new Error(`there is no client for ${language}`);
      const command = variant === 'asyncio' ? (client.asyncDriver as () => Command)() : client.driver();
      return DriverProcess.start({ ...command, env: { ...command.env, ...env } }, language);
    };
    for (const transport of ['tcp', 'unix'] as const)
      describeCases(`embedded daemon, ${transport}`, transport, start, { lacks: client?.lacks });
    describeScriptedCases(CASES.filter(isScripted), start, { language, lacks: client?.lacks });
    describe.skipIf(!isAvailable('spread'))('real daemon', () => {
      describeCases('unix', 'unix', start, { real: true, lacks: client?.lacks });
    });
  });
}

function describeCases(
  title: string,
  transport: 'tcp' | 'unix',
  start: Start,
  { real = false, lacks = [] }: { real?: boolean; lacks?: readonly string[] | undefined },
): void {
  describe(title, () => {
    let plain: Awaited<ReturnType<typeof startPlain>>;
    let driver: DriverProcess;
    beforeAll(async () => {
      plain = await startPlain(real);
      driver = await start();
    }, 60_000);
    afterAll(async () => {
      const code = await driver?.stop();
      await plain?.stop();
      expect(code, 'exit code of the driver').toBe(0);
    }, 30_000);

    const fitting = CASES.filter(
      (one) => !isScripted(one) && one.transports.includes(transport) && (!real || one.realDaemon),
    );
    const isLacking = ({ feature }: Case) => lacks.includes(feature);
    it.skip.each(fitting.filter(isLacking).map(titleOf))('%s (not yet in this client)', () => {});
    it.each(fitting.filter((one) => !isLacking(one)).map((one) => [titleOf(one), one] as const))(
      '%s',
      async (_name, one) => {
        // A driver that was killed or hangs would fail all later cases.
        if (!driver.alive) driver = await start();
        const variables = new Variables();
        variables.set('daemonName', 'localhost');
        const around = await setStage(one, transport, plain.place, variables);
        const sidecars: string[] = [];
        if (one.open) {
          const opened = await driver.request('open', { sidecar: 's', target: variables.get('target') })
            .answer;
          expect(opened).toEqual({ ok: {} });
          sidecars.push('s');
        }
        try {
          await runCase(one, driver, variables, around);
        } finally {
          await around.release();
          for (const step of one.steps)
            if (step.op === 'open') sidecars.push((step.args?.sidecar as string | undefined) ?? 's');
          await closeAll(driver, sidecars);
        }
      },
      CASE_MS,
    );
  });
}

/** The sidecar that most cases share. */
async function startPlain(real: boolean): Promise<{ place: Place; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'conf-'));
  const spread = real && !process.env.SPREAD_DAEMON ? await RealSpread.start() : undefined;
  const daemon = real ? (process.env.SPREAD_DAEMON ?? spread?.unix.path) : undefined;
  const { config } = await loadConfig({
    env: {
      SPREAD_SIDECAR_GRPC_LISTEN: `127.0.0.1:0,unix:${join(folder, 'grpc')}`,
      SPREAD_SIDECAR_ADMIN_LISTEN: 'off',
      SPREAD_SIDECAR_MAILBOX_LEASE_MIN: '100ms',
      ...(daemon === undefined
        ? {
            SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true',
            SPREAD_SIDECAR_EMBEDDED_LISTEN: 'off',
            SPREAD_SIDECAR_EMBEDDED_SOCKET: join(folder, 'spread'),
          }
        : { SPREAD_SIDECAR_DAEMON_ADDRESSES: daemon }),
    },
  });
  const logger = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } });
  const sidecar = createSidecar(config, { logger, version: '0.0.0-test' });
  await sidecar.start();
  await until(() => sidecar.ready);
  const tcp = sidecar.addresses.grpc.find((target) => !target.startsWith('unix:')) as string;
  return {
    place: { tcp, unix: `unix:${join(folder, 'grpc')}` },
    async stop() {
      await sidecar.stop({ graceMs: 0 });
      await spread?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
