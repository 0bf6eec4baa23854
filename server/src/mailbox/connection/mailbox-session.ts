import type { Session } from '../../spread/session.js';
import type { SessionOptions } from '../../spread/session-options.js';

/** What a mailbox needs of a session. */
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

/** Session.connect, or what stands for it. */
export type ConnectSession = (options: SessionOptions) => Promise<MailboxSession>;
