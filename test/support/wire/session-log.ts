import { onTestFinished } from 'vitest';
import type { Session } from '../../../server/src/spread/session.js';
import type { SpreadError } from '../../../server/src/spread/spread-error.js';
import type { Message } from '../../../server/src/spread/wire/index.js';
import { until } from '../until.js';
import { kept } from './kept.js';

/** The reports of a started session. */
export interface SessionLog {
  readonly messages: Message[];
  /** One entry for each call of `onClose`. */
  readonly closed: (SpreadError | undefined)[];
  drains: number;
  /** Resolves when at least `count` messages have arrived. */
  received(count: number): Promise<unknown>;
  /** Resolves when the session has ended, with its error or undefined. */
  ended(): Promise<SpreadError | undefined>;
}

/** Starts `session` and records its reports. Aborts it at the end of the running test. */
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
