import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import { MailboxRegistry, type RegistryOptions } from '../../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../../server/src/mailbox/settings.js';
import { FakeDaemons } from '../../../support/mailboxes/fake-daemons.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { plainEncode } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';

export const turn = () => new Promise((resolve) => setImmediate(resolve));

export const ASKED: ConnectOptions = {
  daemon: '',
  privateName: 'me',
  onNameConflict: 'FAIL',
  priority: 0,
  membership: true,
  queue: {},
  acknowledgement: 'AUTO',
};

export const rejectsWith = (promise: Promise<unknown>, error: object) =>
  expect(promise).rejects.toEqual(expect.objectContaining(error));

export let daemons: FakeDaemons;
const registries: MailboxRegistry[] = [];

export function registryOf(
  settings: Partial<MailboxSettings> = {},
  options: Partial<RegistryOptions> = {},
): MailboxRegistry {
  const registry = new MailboxRegistry({
    settings: mailboxSettings(settings),
    encode: plainEncode,
    connectSession: daemons.connect,
    ...options,
  });
  registries.push(registry);
  return registry;
}

export const connect = (registry: MailboxRegistry, asked: Partial<ConnectOptions> = {}): Promise<Mailbox> =>
  registry.connect({ ...ASKED, ...asked });

export function attach(mailbox: Mailbox, willing = true): RecordingReceiver {
  const receiver = new RecordingReceiver(willing);
  receiver.attachment = mailbox.attach({}, receiver);
  return receiver;
}

/** Resets the shared state before and after each test of the calling suite. */
export function resetForEachTest(): void {
  beforeEach(() => {
    daemons = new FakeDaemons();
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const registry of registries.splice(0)) await registry.drain({ graceMs: 0 });
  });
}
