import type { MailboxIdentity } from '../mailbox/telemetry.js';
import { type EventSubscriber, withoutSecretTexts } from '../observability/index.js';
import { EventRing } from './event-ring.js';

/** Events of `/events.json`. */
const MAX_EVENTS = 200;
/** Changes of the default daemon's state in `/status.json`. */
const MAX_DAEMON_CHANGES = 50;
/** Part of a message that is searched for secrets. Longer than a recorded text, so that no secret is cut. */
const MAX_MESSAGE = 4096;
/** Connections that only open and close, such as probes of a port. */
const HARMLESS = new Set(['TLS_GONE']);

/** Remembers the last events and the last changes of the daemon's state. Contains no secret and no payload. */
export class EventRecorder implements EventSubscriber {
  readonly events = new EventRing(MAX_EVENTS);
  readonly daemonChanges = new EventRing(MAX_DAEMON_CHANGES);

  readonly mailbox: EventSubscriber['mailbox'] = {
    opened: (mailbox, { peer, identity }) =>
      this.events.add('mailbox-connected', { ...about(mailbox), client: identity, peer }),
    ended: (mailbox, reason, message) =>
      this.events.add('mailbox-ended', { ...about(mailbox), reason, message: redacted(message) }),
    slowConsumer: (mailbox, { queuedEvents, queuedBytes, limits }) =>
      this.events.add('slow-consumer', {
        ...about(mailbox),
        queuedEvents,
        maxEvents: limits.maxEvents,
        queuedBytes,
        maxBytes: limits.maxBytes,
      }),
    connectFailed: (daemon, error) =>
      this.events.add('connect-failed', { daemon, message: redacted(error.message) }),
    reconnecting: (mailbox, message) =>
      this.events.add('mailbox-reconnecting', { ...about(mailbox), message: redacted(message) }),
    reconnected: (mailbox) => this.events.add('mailbox-reconnected', about(mailbox)),
    foreignCall: (mailbox) =>
      this.events.add('credential-rejected', { ...about(mailbox), reason: 'FOREIGN_MAILBOX' }),
  };

  readonly daemon: EventSubscriber['daemon'] = {
    up: (daemon, version) => {
      this.events.add('daemon-up', { daemon, version });
      this.daemonChanges.add('up', { daemon, version });
    },
    down: (error) => {
      const message = error && redacted(error.message);
      this.events.add('daemon-down', { message });
      this.daemonChanges.add('down', { message });
    },
  };

  readonly security: EventSubscriber['security'] = {
    refused: (reason, { peer, method, page, why }) => {
      if (HARMLESS.has(reason)) return;
      this.events.add('credential-rejected', { reason, peer, method, page, message: why && redacted(why) });
    },
  };
}

function about({ displayId, privateGroup, daemon }: MailboxIdentity) {
  return { mailbox: displayId, privateGroup, daemon };
}

function redacted(message: string): string {
  return withoutSecretTexts(message.slice(0, MAX_MESSAGE));
}
