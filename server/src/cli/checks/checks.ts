import { ConfigError, type SidecarConfig } from '../../config/index.js';
import { Access } from '../../sidecar/access.js';
import type { Session } from '../../spread/session.js';
import type { SessionOptions } from '../../spread/session-options.js';
import { ExitCode } from '../exit-codes.js';
import { findContainerSidecar } from './container-sidecar.js';
import { findPlaceProblems, placeName, placesOf } from './listen-check.js';

/** One line of `check`. */
export interface CheckResult {
  readonly what: string;
  /** Undefined for a passed check. `warning`: a problem that does not prevent operation. */
  readonly problem: 'failed' | 'warning' | undefined;
  readonly text: string;
  /** The advice for a failure. */
  readonly exitCode: number;
}

const well = (what: string, text: string): CheckResult => ({
  what,
  problem: undefined,
  text,
  exitCode: ExitCode.ok,
});

/** Whether the files of certificates and tokens can be used. */
export async function checkSecurity({ grpc, admin }: SidecarConfig): Promise<CheckResult[]> {
  const none = { ...grpc, tlsCert: '', tlsKey: '', tlsClientCa: '', tokens: [], tokenFile: '' };
  const noAdmin = { ...admin, token: '', tokenFile: '' };
  const { tlsCert, tlsKey, tlsClientCa, tokenFile } = grpc;
  const parts = [
    { what: 'TLS', file: tlsCert, grpc: { ...none, tlsCert, tlsKey, tlsClientCa }, admin: noAdmin },
    { what: 'client tokens', file: tokenFile, grpc: { ...none, tokenFile }, admin: noAdmin },
    {
      what: 'admin tokens',
      file: admin.tokenFile,
      grpc: none,
      admin: { ...noAdmin, tokenFile: admin.tokenFile },
    },
  ];
  const configured = parts.filter(({ file }) => file !== '');
  return Promise.all(configured.map(({ what, file, ...part }) => securityResult(what, file, part)));
}

async function securityResult(
  what: string,
  file: string,
  config: Pick<SidecarConfig, 'grpc' | 'admin'>,
): Promise<CheckResult> {
  let text = '';
  try {
    const access = await Access.open(config, {
      refused() {},
      reloadFailed() {},
      loaded: (_kind, { expiresAtMs, count }) => {
        text =
          expiresAtMs === undefined
            ? `${count} in ${file}`
            : `the certificate is valid until ${new Date(expiresAtMs).toISOString()}`;
      },
    });
    access.stop();
    return well(what, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [mistake] = error.mistakes;
    const problem = `${mistake?.message} (${mistake?.where})`;
    return { what, problem: 'failed', text: problem, exitCode: ExitCode.usage };
  }
}

/**
 * Whether each address that serve would listen on is free, or used by the sidecar of this container. Listens on the free ones
 * for a moment.
 */
export async function checkAddresses(config: SidecarConfig): Promise<CheckResult[]> {
  const places = placesOf(config);
  const problems = await findPlaceProblems(places);
  const sidecar = problems.some(({ isTaken }) => isTaken) ? await findContainerSidecar() : undefined;
  return places.map((place): CheckResult => {
    const name = placeName(place);
    const problem = problems.find((found) => found.place === place);
    if (!problem) return well(place.what, `${name} is free`);
    if (problem.isTaken && sidecar?.listensAt(place.address))
      return well(place.what, `${name} is in use by the sidecar of this container (process ${sidecar.pid})`);
    const advice = problem.isTaken
      ? `: stop that process (a sidecar may already be running), or set another address with ${place.flag}`
      : '';
    const text = `${name} (${place.flag}) ${problem.text}${advice}`;
    return { what: place.what, problem: 'failed', text, exitCode: ExitCode.cannotListen };
  });
}

/** Whether the default daemons respond. One of them is enough. */
export async function checkDaemons(
  { daemon, embedded }: SidecarConfig,
  signal: AbortSignal,
  connect: (options: SessionOptions) => Promise<Session>,
): Promise<CheckResult[]> {
  if (embedded.enabled) return [well('daemon', 'the embedded one')];
  const answers = await Promise.all(
    daemon.addresses.map(async (address): Promise<CheckResult> => {
      const what = `daemon ${address}`;
      try {
        const session = await connect({
          address,
          membership: false,
          timeoutMs: daemon.connectTimeout,
          signal,
        });
        const { major, minor, patch } = session.daemonVersion;
        session.start({ onMessage() {}, onClose() {} });
        await session.disconnect();
        return well(what, `Spread ${major}.${minor}.${patch} answers`);
      } catch (error) {
        const { message } = error as Error;
        return { what, problem: 'failed', text: message, exitCode: ExitCode.unreachable };
      }
    }),
  );
  const anyAnswers = answers.some(({ problem }) => problem === undefined);
  return anyAnswers
    ? answers.map((answer) => (answer.problem ? { ...answer, problem: 'warning' } : answer))
    : answers;
}
