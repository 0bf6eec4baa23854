import { onTestFinished } from 'vitest';
import type { ConnectOptions } from '../../../server/src/mailbox/connection/connect-options.js';
import type { Mailbox } from '../../../server/src/mailbox/mailbox.js';
import type { OutgoingMessage } from '../../../server/src/mailbox/mailbox-types.js';
import type { AttachOptions } from '../../../server/src/mailbox/queue/receiver.js';
import { MailboxRegistry } from '../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../server/src/mailbox/settings.js';
import { mailboxSettings } from './mailbox-settings.js';
import { plainEncode } from './plain-events.js';
import { RecordingReceiver } from './recording-receiver.js';

/** Mailboxes of a real or embedded daemon, without gRPC. They are drained at the end of the running test. */
export class MailboxBench {
  readonly registry: MailboxRegistry;

  constructor(daemon: string | readonly string[], settings: Partial<MailboxSettings> = {}) {
    const daemons = typeof daemon === 'string' ? [daemon] : daemon;
    this.registry = new MailboxRegistry({
      settings: mailboxSettings({ daemons, ...settings }),
      encode: plainEncode,
    });
    onTestFinished(() => this.registry.drain({ graceMs: 0 }));
  }

  connect(privateName = '', asked: Partial<ConnectOptions> = {}): Promise<Mailbox> {
    return this.registry.connect({
      daemon: '',
      privateName,
      onNameConflict: 'FAIL',
      priority: 0,
      membership: true,
      queue: {},
      acknowledgement: 'AUTO',
      ...asked,
    });
  }
}

export function attachReceiver(
  mailbox: Mailbox,
  options: AttachOptions = {},
  receiver = new RecordingReceiver(true, 64 * 1024),
): RecordingReceiver {
  receiver.attachment = mailbox.attach(options, receiver);
  return receiver;
}

export function outgoing(
  group: string,
  payload: string | Buffer,
  changes: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  return {
    serviceType: 'AGREED',
    selfDiscard: false,
    groups: [group],
    messageType: 0,
    payload: Buffer.from(payload),
    ...changes,
  };
}
