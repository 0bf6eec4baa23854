import { formatAddress } from '../../../server/src/spread/address.js';
import type { SessionOptions } from '../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import type { SpreadCodeName } from '../../../server/src/spread/wire/index.js';
import { FakeSession } from './fake-session.js';

/** Daemons by Spread name: the result of a connect with this private name. Default: success. */
export class FakeDaemons {
  /** All attempts, as `<daemon> <private name>`. */
  readonly attempts: string[] = [];
  readonly options: SessionOptions[] = [];
  readonly sessions: FakeSession[] = [];
  /** The daemon name in private groups. */
  nameOf: (daemon: string) => string = () => 'test';
  /** Responses wait for it. */
  gate: Promise<void> = Promise.resolve();
  onSession: (session: FakeSession) => void = () => {};
  answer: (daemon: string, name: string) => SpreadCodeName | 'silence' | undefined = () => undefined;

  readonly connect = async (options: SessionOptions): Promise<FakeSession> => {
    const daemon = typeof options.address === 'string' ? options.address : formatAddress(options.address);
    const name = options.privateName ?? '';
    this.attempts.push(`${daemon} ${name}`);
    this.options.push(options);
    await this.gate;
    const answer = this.answer(daemon, name);
    if (answer === 'silence') await untilAborted(options.signal);
    else if (answer !== undefined) throw new SpreadError(answer, `${daemon} says ${answer}`);
    const session = new FakeSession(`#${name || `r${this.sessions.length + 1}`}#${this.nameOf(daemon)}`);
    this.sessions.push(session);
    this.onSession(session);
    return session;
  };
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => reject(new SpreadError('COULD_NOT_CONNECT', 'the attempt was cancelled'));
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp);
  });
}
