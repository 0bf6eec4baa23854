// The driver of the TypeScript client. README.md in the parent folder describes its protocol.
import { readdirSync } from 'node:fs';
import {
  type Mailbox,
  type MailboxOptions,
  type Refusal,
  SERVICE_TYPES,
  type Sender,
  type ServiceTypeName,
  type SpreadError,
  type SpreadEvent,
  SpreadSidecar,
} from 'spread-sidecar-client';
import { benchRoundTrip, benchThroughput } from './bench.js';
import { toPlain } from './events.js';
import { Named } from './named.js';
import { type Args, type Op, serve, toError } from './protocol.js';
import { requestReplyOps } from './request-reply.js';

interface OpenMailbox {
  readonly mailbox: Mailbox;
  readonly notices: object[];
}

interface OpenSender {
  readonly sender: Sender;
  readonly refusals: Refusal[];
}

const sidecars = new Named<SpreadSidecar>('sidecar');
const mailboxes = new Named<OpenMailbox>('mailbox');
const senders = new Named<OpenSender>('sender');

/** The options of a connect or attach. */
function mailboxOptions(args: Args, signal: AbortSignal): MailboxOptions & { signal: AbortSignal } {
  const { sidecar: _sidecar, mailbox: _mailbox, mailboxId: _id, afterSequence: _after, ...options } = args;
  return { ...options, signal };
}

function keep(name: string, mailbox: Mailbox): object {
  const notices: object[] = [];
  mailbox.on('attached', () => notices.push({ kind: 'attached' }));
  mailbox.on('detached', (error) => notices.push({ kind: 'detached', error: toError(error) }));
  mailbox.on('slowConsumer', ({ queuedEvents, queuedBytes, timeLeftMs = null }) =>
    notices.push({ kind: 'slowConsumer', queuedEvents, queuedBytes, timeLeftMs }),
  );
  mailbox.on('ended', (error) => notices.push({ kind: 'ended', error: error ? toError(error) : null }));
  mailboxes.set(name, { mailbox, notices });
  const { id: mailboxId, privateGroup, daemon, daemonVersion, acknowledgement } = mailbox;
  return { mailboxId, privateGroup, daemon, daemonVersion, leaseMs: mailbox.limits.leaseMs, acknowledgement };
}

const message = (args: Args) =>
  [
    SERVICE_TYPES[args.serviceType as ServiceTypeName],
    args.groups as string[],
    Buffer.from(args.payload, 'base64'),
    (args.messageType ?? 0) as number,
  ] as const;

async function receive(args: Args, signal: AbortSignal): Promise<object> {
  const { mailbox } = mailboxes.of(args.mailbox);
  const { count = 1, timeoutMs } = args;
  const events: SpreadEvent[] = [];
  const deadline = Date.now() + timeoutMs;
  let end: object | null = null;
  let timedOut = false;
  while (events.length < count && end === null && !timedOut) {
    try {
      events.push(await mailbox.receive({ timeoutMs: Math.max(deadline - Date.now(), 1), signal }));
    } catch (error) {
      const { statusName, cause } = error as SpreadError;
      if (statusName === 'CANCELLED' && signal.aborted) throw error;
      if (statusName === 'DEADLINE_EXCEEDED' && cause === undefined) timedOut = true;
      else {
        const { kind: _kind, ...plain } = toError(error) as { kind: string };
        end = plain;
      }
    }
  }
  return { events: events.map(toPlain), timedOut, end };
}

const ops: Record<string, Op> = {
  open({ sidecar, ...options }) {
    sidecars.set(sidecar, new SpreadSidecar(options));
  },
  waitForReady: ({ sidecar, ...options }, signal) =>
    sidecars.of(sidecar).waitForReady({ ...options, signal }),
  async version({ sidecar, timeoutMs }, signal) {
    const version = await sidecars.of(sidecar).version({ timeoutMs, signal });
    return { ...version, daemon: version.daemon ?? null };
  },
  async list({ sidecar, token, timeoutMs }, signal) {
    const privateGroups: string[] = [];
    for await (const { privateGroup } of sidecars.of(sidecar).listMailboxes(token, { timeoutMs, signal }))
      privateGroups.push(privateGroup);
    return { privateGroups };
  },
  async closeSidecar({ sidecar }) {
    await sidecars.of(sidecar).close();
    sidecars.delete(sidecar);
  },

  async connect(args, signal) {
    const mailbox = await sidecars.of(args.sidecar).connect(mailboxOptions(args, signal));
    return keep(args.mailbox, mailbox);
  },
  async attach(args, signal) {
    const after = args.afterSequence === undefined ? undefined : BigInt(args.afterSequence);
    const options = { ...mailboxOptions(args, signal), afterSequence: after };
    return keep(args.mailbox, await sidecars.of(args.sidecar).attach(args.mailboxId, options));
  },
  detach: ({ mailbox }) => mailboxes.of(mailbox).mailbox.detach(),
  async disconnect({ mailbox, ...options }, signal) {
    return { wasOpen: await mailboxes.of(mailbox).mailbox.disconnect({ ...options, signal }) };
  },
  async exitMailbox({ mailbox: name, receives = false }, signal) {
    await using mailbox = mailboxes.of(name).mailbox;
    if (receives) await mailbox.receive({ signal });
  },
  async exitSidecar({ sidecar, receivesFrom }, signal) {
    await using _ = sidecars.of(sidecar);
    if (receivesFrom !== undefined) await mailboxes.of(receivesFrom).mailbox.receive({ signal });
  },
  async join({ mailbox, group, ...options }, signal) {
    const view = await mailboxes.of(mailbox).mailbox.join(group, { ...options, signal });
    return { view: view ? toPlain(view) : null };
  },
  async leave({ mailbox, group, ...options }, signal) {
    const selfLeave = await mailboxes.of(mailbox).mailbox.leave(group, { ...options, signal });
    return { selfLeave: selfLeave ? toPlain(selfLeave) : null };
  },
  async multicast(args, signal) {
    const { selfDiscard = false, timeoutMs } = args;
    const limits = { selfDiscard, headers: args.headers, timeoutMs, signal };
    return {
      bytesSent: await mailboxes.of(args.mailbox).mailbox.multigroupMulticast(...message(args), limits),
    };
  },
  receive,
  poll: ({ mailbox, timeoutMs }, signal) => mailboxes.of(mailbox).mailbox.poll({ timeoutMs, signal }),
  async acknowledge({ mailbox, sequence, timeoutMs }, signal) {
    const upTo = sequence === undefined ? undefined : BigInt(sequence);
    return {
      acknowledgedSequence: await mailboxes.of(mailbox).mailbox.acknowledge(upTo, { timeoutMs, signal }),
    };
  },
  async view({ mailbox, group, timeoutMs }, signal) {
    const { view, inTransition } = await mailboxes.of(mailbox).mailbox.view(group, { timeoutMs, signal });
    return { view: toPlain(view), inTransition };
  },
  async info({ mailbox, timeoutMs }, signal) {
    const info = await mailboxes.of(mailbox).mailbox.info({ timeoutMs, signal });
    const { privateGroup, state, daemon, membership, acknowledgement, groups, receiverAttached } = info;
    const { lastSequence, deliveredSequence, acknowledgedSequence, waitingEvents, waitingBytes } = info;
    const { messagesSent, payloadBytesSent } = info;
    return {
      ...{ privateGroup, state, daemon, membership, acknowledgement, groups, receiverAttached },
      ...{ lastSequence, deliveredSequence, acknowledgedSequence, waitingEvents, waitingBytes },
      ...{ messagesSent, payloadBytesSent },
    };
  },
  state({ mailbox }) {
    const { privateGroup, lastSequence } = mailboxes.of(mailbox).mailbox;
    return { privateGroup, lastSequence };
  },
  notices: ({ mailbox }) => ({ notices: mailboxes.of(mailbox).notices }),

  openSender({ mailbox, sender, callback = true, ...options }) {
    const refusals: Refusal[] = [];
    const onRefused = (refusal: Refusal) => refusals.push(refusal);
    const opened = mailboxes.of(mailbox).mailbox.sender({ ...options, ...(callback ? { onRefused } : {}) });
    senders.set(sender, { sender: opened, refusals });
  },
  async send(args) {
    const { sender } = senders.of(args.sender);
    for (let i = 0; i < (args.times ?? 1); i += 1)
      await sender.send(...message(args), { selfDiscard: args.selfDiscard ?? false, headers: args.headers });
  },
  flush: ({ sender }) => senders.of(sender).sender.flush(),
  senderState({ sender: name }) {
    const { sender, refusals } = senders.of(name);
    return {
      ...sender.progress,
      undecided: sender.undecided.length,
      refusals: refusals.map(({ index, error }) => ({ index, error: toError(error) })),
    };
  },
  closeSender: ({ sender }) => senders.of(sender).sender.close(),

  ...requestReplyOps(sidecars),

  resources: () => ({ threads: null, descriptors: readdirSync('/proc/self/fd').length, tasks: null }),
  benchThroughput: (args) => benchThroughput(args),
  benchRoundTrip: (args) => benchRoundTrip(args),
};

await serve(ops, { language: 'typescript', version: process.env.CLIENT_VERSION });
await Promise.allSettled([...sidecars.values()].map((sidecar) => sidecar.close()));
process.exit(0);
