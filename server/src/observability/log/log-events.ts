import type { DaemonEvent } from '../../daemon/events.js';
import type { SlowConsumerNotice } from '../../mailbox/queue/receiver.js';
import type { MailboxIdentity } from '../../mailbox/telemetry.js';
import type { EventSubscriber } from '../events.js';
import type { LogFields } from './log-fields.js';
import type { Logger } from './logger.js';
import { securityLog } from './security-log.js';
import { ThrottledLog } from './throttled-log.js';

/** Ends that a client or operator requested. */
const EXPECTED_ENDS = new Set(['DISCONNECTED', 'DRAINING']);

/**
 * Number of lines of a kind about mailboxes in ten seconds. It names a few mailboxes and prevents a flood of
 * lines.
 */
const BURST = 10;

/** Events of the embedded daemon for the attention of an operator. */
const EMBEDDED_LEVELS: Readonly<Record<string, 'warn' | 'info'>> = {
  'session-cut': 'warn',
  'client-refused': 'info',
};

/** Writes events into the log. */
export interface LogSubscriber extends EventSubscriber {
  /** Writes the counts of suppressed lines without waiting for the next lines of their kinds. For a shutdown. */
  flush(): void;
}

/**
 * Writes events into the log: rare events at info and above, frequent ones at debug. Clients can cause most of
 * them at any rate, so lines at info and above have a rate limit for each kind.
 */
export function logEvents(log: Logger, now?: () => number): LogSubscriber {
  const security = securityLog(log, now);
  const limits = new ThrottledLog(log, 1, now);
  const throttled = new ThrottledLog(log, BURST, now);
  const write = throttled.write.bind(throttled);
  return {
    mailbox: {
      opened: (mailbox, { peer, identity }) =>
        log.debug({ ...about(mailbox), peer, identity }, 'mailbox opened'),
      ended: (mailbox, reason, message) => {
        const fields = { ...about(mailbox), reason };
        const text = `mailbox ended: ${message}`;
        if (EXPECTED_ENDS.has(reason)) log.debug(fields, text);
        else write('warn', `ended ${reason}`, fields, text);
      },
      paused: (mailbox) =>
        write(
          'warn',
          'paused',
          about(mailbox),
          'the queue is full: the mailbox stopped reading from its daemon',
        ),
      resumed: (mailbox) =>
        write('info', 'resumed', about(mailbox), 'the mailbox resumed reading from its daemon'),
      slowConsumer: (mailbox, queue) =>
        write('warn', 'slow consumer', { ...about(mailbox), ...fillOf(queue) }, slowConsumer(queue)),
      connectFailed: (daemon, error) => {
        const code = codeOf(error);
        const kind = `connect failed ${code.code}`;
        write('info', kind, { daemon, ...code }, `a mailbox could not connect: ${error.message}`);
      },
      foreignCall: (mailbox) => security.refused('FOREIGN_MAILBOX', about(mailbox)),
      reconnecting: (mailbox, message) =>
        write('warn', 'reconnecting', about(mailbox), `the mailbox reconnects: ${message}`),
      reconnectFailed: (mailbox, daemon, error) =>
        log.debug(
          { ...about(mailbox), daemon, ...codeOf(error) },
          `the mailbox could not reconnect: ${error.message}`,
        ),
      reconnected: (mailbox, previousPrivateGroup, seconds) =>
        write(
          'info',
          'reconnected',
          { ...about(mailbox), previousPrivateGroup, seconds },
          'the mailbox has reconnected',
        ),
      // The end of the mailbox has a separate line with the reason.
      defect: (error) =>
        write('error', 'defect', { err: error }, 'unexpected error: a defect of the sidecar'),
    },
    daemon: {
      up: (daemon, version) => log.info({ daemon, daemonVersion: version }, 'the Spread daemon is up'),
      down: (error) =>
        log.warn(error ? codeOf(error) : {}, `the Spread daemon is down${error ? `: ${error.message}` : ''}`),
    },
    security,
    limits: {
      reached: (limit, about) => limits.write('warn', limit, { ...about, limit }, 'a client reached a limit'),
    },
    embedded: {
      event: (event) => {
        const { kind } = event;
        const fields = embeddedFields(event);
        const text = `embedded daemon: ${kind}${'message' in event ? `: ${event.message}` : ''}`;
        const level = EMBEDDED_LEVELS[kind];
        if (level) write(level, `embedded ${kind}`, fields, text);
        else log.debug(fields, text);
      },
    },
    flush() {
      for (const part of [security, limits, throttled]) part.flush();
    },
  };
}

function about({ displayId, privateGroup, daemon }: MailboxIdentity) {
  return { mailbox: displayId, privateGroup, daemon };
}

function embeddedFields(event: DaemonEvent): LogFields {
  switch (event.kind) {
    case 'client-refused':
      return { transport: event.transport, code: event.code };
    case 'client-abandoned':
      return { transport: event.transport };
    case 'session-opened': {
      const { transport, privateGroup, membership, version } = event;
      const clientVersion = `${version.major}.${version.minor}.${version.patch}`;
      return { transport, privateGroup, membership, clientVersion };
    }
    case 'session-closed':
      return { privateGroup: event.privateGroup, reason: event.reason };
    case 'session-cut': {
      const { privateGroup, reason, messagesLost, error } = event;
      return { privateGroup, reason, messagesLost, ...(error === undefined ? {} : { err: error }) };
    }
  }
}

function fillOf({ queuedEvents, queuedBytes, limits: { maxEvents, maxBytes } }: SlowConsumerNotice) {
  return { queuedEvents, maxEvents, queuedBytes, maxBytes };
}

function slowConsumer({ timeLeftMs }: SlowConsumerNotice): string {
  const what = 'slow consumer: the queue fills faster than the receiver empties it';
  if (timeLeftMs === undefined) return what;
  return `${what}; the queue is above its soft limit, and the sidecar ends the mailbox in ${Math.ceil(timeLeftMs)} ms`;
}

function codeOf(error: Error): Pick<LogFields, 'code'> {
  const { code } = error as { code?: unknown };
  return code === undefined ? {} : { code: String(code) };
}
