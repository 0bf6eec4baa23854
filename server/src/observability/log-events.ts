import type { EmbeddedDaemonEvent, EventSubscriber, MailboxIdentity, QueueFill } from './events.js';
import type { Logger } from './logger.js';
import { securityLog } from './security-log.js';
import { Seldom } from './seldom.js';

/** Ends that somebody asked for. */
const EXPECTED_ENDS = new Set(['DISCONNECTED', 'DRAINING']);

/** What the embedded daemon tells and an operator wants to see at once. */
const EMBEDDED_LEVELS: Readonly<Record<string, 'warn' | 'info'>> = {
  'session-cut': 'warn',
  'client-refused': 'info',
};

/** Writes what happens into the log: what is rare and matters at info and above, what comes and goes at debug. */
export function logEvents(log: Logger): EventSubscriber {
  const security = securityLog(log);
  const limits = new Seldom();
  return {
    mailbox: {
      opened: (mailbox, { peer, identity }) =>
        log.debug({ ...about(mailbox), peer, identity }, 'mailbox opened'),
      ended: (mailbox, reason, message) => {
        const level = EXPECTED_ENDS.has(reason) ? 'debug' : 'warn';
        log[level]({ ...about(mailbox), reason }, `mailbox ended: ${message}`);
      },
      paused: (mailbox) =>
        log.warn(about(mailbox), 'the queue is full: the mailbox stopped reading from its daemon'),
      resumed: (mailbox) => log.info(about(mailbox), 'the mailbox reads from its daemon again'),
      slowConsumer: (mailbox, queue) =>
        log.warn({ ...about(mailbox), ...fillOf(queue) }, slowConsumer(queue)),
      connectFailed: (daemon, error) =>
        log.info({ daemon, ...codeOf(error) }, `a mailbox could not connect: ${error.message}`),
      foreignCall: (mailbox) => security.refused('FOREIGN_MAILBOX', about(mailbox)),
      reconnecting: (mailbox, message) => log.warn(about(mailbox), `the mailbox reconnects: ${message}`),
      reconnectFailed: (mailbox, daemon, error) =>
        log.debug(
          { ...about(mailbox), daemon, ...codeOf(error) },
          `the mailbox could not reconnect: ${error.message}`,
        ),
      reconnected: (mailbox, previousPrivateGroup, seconds) =>
        log.info({ ...about(mailbox), previousPrivateGroup, seconds }, 'the mailbox is connected again'),
      // The end of the mailbox, which has a line of its own, says why.
      defect: (error) => log.error({ err: error }, 'a defect of the sidecar'),
    },
    daemon: {
      up: (daemon, version) => log.info({ daemon, version }, 'the Spread daemon is up'),
      down: (error) =>
        log.warn(error ? codeOf(error) : {}, `the Spread daemon is down${error ? `: ${error.message}` : ''}`),
    },
    security,
    limits: {
      reached: (limit, about) => {
        const more = limits.about(limit);
        if (more) log.warn({ ...about, limit, ...more }, 'a client ran into a limit');
      },
    },
    embedded: { event: (event) => logEmbedded(log, event) },
  };
}

function logEmbedded(log: Logger, event: EmbeddedDaemonEvent): void {
  const { kind, message, ...fields } = event;
  const level = EMBEDDED_LEVELS[kind] ?? 'debug';
  log[level](fields, `embedded daemon: ${kind}${message ? `: ${message}` : ''}`);
}

function about({ displayId, privateGroup, daemon }: MailboxIdentity) {
  return { mailbox: displayId, privateGroup, daemon };
}

function fillOf({ queuedEvents, queuedBytes, limits: { maxEvents, maxBytes } }: QueueFill) {
  return { queuedEvents, maxEvents, queuedBytes, maxBytes };
}

function slowConsumer({ timeLeftMs }: QueueFill): string {
  const what = 'slow consumer: the queue fills faster than it is emptied';
  if (timeLeftMs === undefined) return what;
  return `${what}; above its soft bound, the mailbox will be ended in ${Math.ceil(timeLeftMs)} ms`;
}

function codeOf(error: Error): { code?: unknown } {
  const { code } = error as { code?: unknown };
  return code === undefined ? {} : { code };
}
