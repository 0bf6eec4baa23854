import { onTestFinished } from 'vitest';
import type { Session } from '../../../server/src/spread/session.js';
import type { SpreadError } from '../../../server/src/spread/spread-error.js';
import type { Message } from '../../../server/src/spread/wire/index.js';
import { until } from '../until.js';
import { kept } from './kept.js';

/** What a started session has reported. */
export interface SessionLog {
  readonly messages: Message[];
  /** One entry for each call of `onClose`. */
  readonly closed: (SpreadError | undefined)[];
  drains: number;
  /** Resolves when at least `count` messages are there. */
  received(count: number): Promise<unknown>;
  /** Resolves when the session is over, with the error or undefined. */
  ended(): Promise<SpreadError | undefined>;
}

/** Starts `session` and writes down what it reports; drops it when the running test ends. */
export function startLogged(session: Session): SessionLog {
  const log: SessionLog = {
    messages: [],
    closed: [],
    drains: 0,
    received: (count) => until(() => log.messages.length >= count, { what: `${count} messages` }),
    ended: async () => {
      await until(() => log.closed.length > 0, { what: 'the end of the session' });
      return log.closed[0];
    },
  };
  session.start({
    onMessage: (message) => void log.messages.push(kept(message)),
    onClose: (error) => void log.closed.push(error),
    onDrain: () => void log.drains++,
  });
  onTestFinished(() => session.abort());
  return log;
}
