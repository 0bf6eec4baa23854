import { SELF_DISCARD, SERVICE_TYPES, type SpreadError } from 'spread-sidecar-client';
import type { Box } from './box.js';
import type { Outcome, Sent, Service } from './history.js';
import { measure, payloadOf } from './payload.js';
import type { Random } from './random.js';
import type { RoundContext } from './round-context.js';
import { failureOf } from './seen.js';

const SERVICES = Object.keys(SERVICE_TYPES) as Service[];

/** A message with the expected result. */
interface Draft {
  readonly sent: Sent;
  readonly payload: Buffer;
}

/** Sends one message by a unary call, and records the outcome. */
async function sendUnary(context: RoundContext, box: Box, { sent, payload }: Draft): Promise<void> {
  begin(context, sent);
  try {
    await box.mailbox.multigroupMulticast(typeOf(sent), sent.groups, payload);
    finish(context, sent, 'ok');
  } catch (error) {
    finish(context, sent, outcomeOf(error), error);
  }
}

/** Sends messages by unary calls, one after the other or concurrently. */
export async function sendSingly(
  context: RoundContext,
  box: Box,
  random: Random,
  count: number,
  atOnce: boolean,
) {
  const drafts = Array.from({ length: count }, () => draft(context, box, random));
  if (atOnce) await Promise.all(drafts.map((one) => sendUnary(context, box, one)));
  else for (const one of drafts) await sendUnary(context, box, one);
  return drafts.map(({ sent }) => sent);
}

/** Sends messages through a stream. */
export async function sendStreamed(context: RoundContext, box: Box, random: Random, count: number) {
  const stream = box.nextStream();
  const drafts: Draft[] = [];
  const refused = new Map<number, SpreadError>();
  const sender = box.mailbox.sender({
    onRefused: ({ index, error }) => refused.set(index, error),
    maxInFlightMessages: random.pick([1, 16, 1000]),
  });
  let failure: unknown;
  try {
    for (let i = 0; i < count; i += 1) {
      const one = random.chance(0.01) ? wrong(box, random, stream) : draft(context, box, random, stream);
      drafts.push(one);
      begin(context, one.sent);
      await sender.send(typeOf(one.sent), one.sent.groups, one.payload);
    }
    await sender.close();
  } catch (error) {
    failure = error;
  }
  const { sent, decided } = sender.progress;
  for (const [i, one] of drafts.entries()) {
    const index = i + 1;
    const refusal = refused.get(index);
    if (refusal) finish(context, one.sent, outcomeOf(refusal), refusal);
    else if (index <= decided) finish(context, one.sent, 'ok');
    else finish(context, one.sent, index <= sent ? 'unknown' : 'refused', failure);
  }
  return drafts.map((one) => one.sent);
}

/** Sends a message that must be rejected. */
export async function sendWrong(context: RoundContext, box: Box, random: Random): Promise<void> {
  await sendUnary(context, box, wrong(box, random));
}

/** Sends a message to only one mailbox, another one or the own one. */
export async function sendPrivately(context: RoundContext, box: Box, to: Box, service: Service) {
  const one = make(box, { service, groups: [to.privateGroup], selfDiscard: false }, 0);
  await sendUnary(context, box, one);
  return one.sent;
}

function begin(context: RoundContext, sent: Sent): void {
  context.sent += 1;
  context.history.add({ kind: 'send', ...sent });
}

function finish({ history }: RoundContext, { box, id }: Sent, outcome: Outcome, error?: unknown): void {
  history.add({
    kind: 'sent',
    box,
    id,
    outcome,
    ...(error === undefined ? {} : { failure: failureOf(error) }),
  });
}

function outcomeOf(error: unknown): Outcome {
  return (error as SpreadError).outcome === 'not-sent' ? 'refused' : 'unknown';
}

function typeOf({ service, selfDiscard }: Sent): number {
  return SERVICE_TYPES[service] | (selfDiscard ? SELF_DISCARD : 0);
}

function draft(context: RoundContext, box: Box, random: Random, stream?: number): Draft {
  const service = random.pick(SERVICES);
  const selfDiscard = random.chance(0.1);
  const groups = random.some(context.groups, random.pick([1, 1, 1, 3]));
  return make(box, { service, groups, selfDiscard, stream }, drawSize(random));
}

function wrong(box: Box, random: Random, stream?: number): Draft {
  const plain = { service: random.pick(SERVICES), selfDiscard: false, stream };
  return random.pick([
    () => make(box, { ...plain, groups: ['no group'], refusal: 'ILLEGAL_GROUP' }, 0),
    () => make(box, { ...plain, groups: Array(44).fill('g'), refusal: 'ILLEGAL_GROUP' }, 0),
    () => make(box, { ...plain, groups: [], refusal: 'ILLEGAL_GROUP' }, 0),
    () => make(box, { ...plain, groups: ['g'], refusal: 'MESSAGE_TOO_LONG' }, 143_121),
  ])();
}

function make(box: Box, what: Omit<Sent, 'box' | 'id' | 'bytes' | 'sum'>, size: number): Draft {
  const id = box.nextMessage();
  const payload = payloadOf(id, size);
  return { sent: { box: box.name, id, ...what, ...measure(payload) }, payload };
}

/** A payload size: mostly small, sometimes the maximum. Unit: bytes. */
function drawSize(random: Random): number {
  const size = random.weighted({ small: 90, medium: 9, large: 1 });
  if (size === 'small') return random.int(0, 200);
  return size === 'medium' ? random.int(200, 8000) : random.int(8000, 143_000);
}
