import {
  type AttachOptions,
  type MailboxOptions,
  type SidecarOptions,
  SpreadSidecar,
} from 'spread-sidecar-client';
import { onTestFinished } from 'vitest';
import { FakeMailboxService } from './fake-mailbox-service.js';

/** A fake service that stops at the end of the running test. */
export async function fakeService(): Promise<FakeMailboxService> {
  const service = await FakeMailboxService.start();
  onTestFinished(() => service.stop());
  return service;
}

/** A channel that closes at the end of the running test. */
export function sidecarAt(target: string, options: SidecarOptions = {}): SpreadSidecar {
  const sidecar = new SpreadSidecar({ target, ...options });
  onTestFinished(() => sidecar.close({ keepMailboxes: true }));
  return sidecar;
}

/** A fake service, a channel to it and a mailbox. */
export async function fakeMailbox(options: MailboxOptions & AttachOptions = {}) {
  const service = await fakeService();
  const sidecar = sidecarAt(service.target);
  const mailbox = await sidecar.connect(options);
  return { service, sidecar, mailbox, fake: service.mailbox };
}
