import type { Session } from '../../spread/session.js';
import type { SessionOptions } from '../../spread/session-options.js';

/** The part of a session that a mailbox uses. */
export type MailboxSession = Pick<
  Session,
  | 'privateGroup'
  | 'daemonVersion'
  | 'bufferedBytes'
  | 'start'
  | 'pause'
  | 'resume'
  | 'multicast'
  | 'join'
  | 'leave'
  | 'disconnect'
  | 'abort'
  | 'drop'
>;

/** Session.connect, or a replacement for tests. */
export type ConnectSession = (options: SessionOptions) => Promise<MailboxSession>;
