import { status } from '@grpc/grpc-js';
import {
  AGREED_MESS,
  FIFO_MESS,
  type Refusal,
  SAFE_MESS,
  SELF_DISCARD,
  type SpreadError,
} from 'spread-sidecar-client';
import { type MulticastMessage, type MulticastStreamRequest, ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { fakeMailbox } from '../../support/clients/client.js';
import { until, within } from '../../support/until.js';

async function fakeSender(options = {}) {
  const all = await fakeMailbox();
  const taken: MulticastMessage[] = [];
  all.service.onStreamMessage = (message) => {
    taken.push(message);
    return message.messageType === 99
      ? {
          code: status.INVALID_ARGUMENT,
          message: 'group is wrong',
          reason: 'ILLEGAL_GROUP',
          metadata: { field: 'groups' },
        }
      : undefined;
  };
  return { ...all, taken, sender: all.mailbox.sender(options) };
}

describe('a sender', () => {
  it('sends everything in order, with many messages in a frame', async () => {
    const { sender, taken, service } = await fakeSender();
    let frames = 0;
    for (let i = 0; i < 5000; i += 1) await sender.send(FIFO_MESS, ['a', 'b'], String(i), i % 90);
    service.streams[0]?.on('data', () => {
      frames += 1;
    });
    expect(await sender.flush()).toEqual({ sent: 5000, decided: 5000, accepted: 5000 });
    expect(taken.map((message) => String(message.payload))).toEqual(
      Array.from({ length: 5000 }, (_, i) => String(i)),
    );
    expect(taken[17]).toMatchObject({ groups: ['a', 'b'], messageType: 17, serviceType: ServiceType.FIFO });
    expect(frames).toBeLessThan(50);
    expect(await sender.close()).toMatchObject({ decided: 5000 });
    expect(sender.closed).toBe(true);
    await expect(sender.send(FIFO_MESS, 'a', 'x')).rejects.toMatchObject({ outcome: 'not-sent' });
  });

  it('accepts one group, bytes, an empty payload and self-discard in both forms', async () => {
    const { sender, taken } = await fakeSender();
    await sender.send(SAFE_MESS | SELF_DISCARD, 'g', new Uint8Array([0, 255]));
    await sender.send(AGREED_MESS, 'g', '', -1, { selfDiscard: true });
    await sender.flush();
    expect(taken[0]).toMatchObject({ selfDiscard: true, groups: ['g'], serviceType: ServiceType.SAFE });
    expect([...(taken[0]?.payload ?? [])]).toEqual([0, 255]);
    expect(taken[1]).toMatchObject({ selfDiscard: true, messageType: -1 });
    expect(taken[1]?.payload).toHaveLength(0);
  });

  it('sends a single message without a flush', async () => {
    const { sender, taken } = await fakeSender();
    await sender.send(FIFO_MESS, 'g', 'alone');
    await until(() => taken.length === 1);
  });

  it('waits at the limit of messages in flight', async () => {
    const { sender, service, taken } = await fakeSender({ maxInFlightMessages: 3 });
    service.holdAnswers = true;
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < 10; i += 1) {
        await sender.send(FIFO_MESS, 'g', 'x');
        sent += 1;
      }
    })();
    await until(() => taken.length === 3);
    expect(sent).toBe(2);
    expect(sender.undecided).toHaveLength(3);
    service.holdAnswers = false;
    service.streams[0]?.write({ decided: 3n, accepted: 3n, refusals: [] });
    await within(sending, 'the rest is sent');
    expect(await sender.flush()).toMatchObject({ decided: 10 });
  });

  it('sends one message that is larger than the limit', async () => {
    const { sender } = await fakeSender({ maxInFlightBytes: 10 });
    for (let i = 0; i < 5; i += 1) await sender.send(FIFO_MESS, 'g', 'x'.repeat(1000));
    expect(await sender.flush()).toMatchObject({ accepted: 5 });
  });

  it('writes a frame when its messages reach the size', async () => {
    const { sender, service } = await fakeSender({ maxBatchBytes: 1000 });
    await sender.send(FIFO_MESS, 'g', 'first');
    await sender.flush();
    const frames: number[] = [];
    service.streams[0]?.on('data', (request: MulticastStreamRequest) => {
      if (request.frame?.$case === 'batch') frames.push(request.frame.value.messages.length);
    });
    // Each counts with 48 bytes for its group and header.
    const sent = Array.from({ length: 6 }, () => sender.send(FIFO_MESS, 'g', 'x'.repeat(300)));
    await Promise.all(sent);
    await sender.flush();
    // The flush only requests a response.
    expect(frames).toEqual([3, 3, 0]);
  });

  it('reports each rejected message to its listener, and continues', async () => {
    const refusals: Refusal[] = [];
    const { sender } = await fakeSender({ onRefused: (refusal: Refusal) => refusals.push(refusal) });
    for (const type of [1, 99, 2, 99]) await sender.send(FIFO_MESS, 'g', 'x', type);
    expect(await sender.flush()).toEqual({ sent: 4, decided: 4, accepted: 2 });
    expect(refusals.map((refusal) => refusal.index)).toEqual([2, 4]);
    expect(refusals[0]?.error).toMatchObject({
      code: 'ILLEGAL_GROUP',
      number: -14,
      statusName: 'INVALID_ARGUMENT',
      message: 'group is wrong',
      outcome: 'not-sent',
      metadata: { field: 'groups', index: '2' },
    });
  });

  it('rejects the flush with the rejected messages if there is no listener, once', async () => {
    const { sender } = await fakeSender();
    for (let i = 0; i < 150; i += 1) await sender.send(FIFO_MESS, 'g', 'x', 99);
    const error = (await sender.flush().catch((e) => e)) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toContain('rejected messages: 150');
    expect(error.errors).toHaveLength(100);
    expect(error.errors[0]).toMatchObject({ code: 'ILLEGAL_GROUP' });
    expect(await sender.flush()).toMatchObject({ decided: 150, accepted: 0 });
    await sender.send(FIFO_MESS, 'g', 'x', 99);
    await expect(sender.close()).rejects.toBeInstanceOf(AggregateError);
  });

  it('reports an unknown outcome when the stream breaks', async () => {
    const { sender, service, taken } = await fakeSender();
    await sender.send(FIFO_MESS, 'g', 'decided');
    await sender.flush();
    service.holdAnswers = true;
    await sender.send(SAFE_MESS, 'g', 'in doubt', 7, { selfDiscard: true });
    await until(() => taken.length === 2);
    const flushing = sender.flush();
    service.streams[0]?.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    await expect(flushing).rejects.toMatchObject({ statusName: 'UNAVAILABLE', outcome: 'unknown' });
    expect(sender.undecided).toEqual([
      {
        serviceType: SAFE_MESS,
        groups: ['g'],
        payload: Buffer.from('in doubt'),
        messageType: 7,
        selfDiscard: true,
        headers: {},
      },
    ]);
    await expect(sender.send(FIFO_MESS, 'g', 'x')).rejects.toMatchObject({ outcome: 'unknown' });
    await expect(sender.close()).rejects.toMatchObject({ statusName: 'UNAVAILABLE' });
  });

  it('wakes waiting calls when the stream breaks', async () => {
    const { sender, service, taken } = await fakeSender({ maxInFlightMessages: 1 });
    service.holdAnswers = true;
    const sending = sender.send(FIFO_MESS, 'g', 'x');
    await until(() => taken.length === 1);
    service.streams[0]?.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    await expect(sending).rejects.toMatchObject({ outcome: 'unknown' });
  });

  it('fails when the sidecar ends the stream', async () => {
    const { sender, service } = await fakeSender();
    await until(() => service.streams.length === 1);
    service.streams[0]?.end();
    await until(() => sender.closed);
    await expect(sender.flush().then(() => sender.close())).rejects.toMatchObject({
      statusName: 'UNAVAILABLE',
    });
  });

  it('fails when a response decides more messages than the client has written', async () => {
    const { sender, service, taken } = await fakeSender();
    service.holdAnswers = true;
    await sender.send(FIFO_MESS, 'g', 'x');
    await until(() => taken.length === 1);
    const flushing = sender.flush();
    const [stream] = service.streams;
    stream?.write({ decided: 2n, accepted: 2n, refusals: [] });
    await expect(flushing).rejects.toMatchObject({
      statusName: 'INTERNAL',
      outcome: 'unknown',
      message: 'the response of MulticastStream decides 2 messages, but the client has written only 1',
    });
    expect(sender.undecided).toHaveLength(1);
    await until(() => stream?.cancelled);
  });

  it('reports that nothing was sent if the server is no sidecar', async () => {
    const { sender, service } = await fakeSender();
    service.holdAnswers = true;
    await sender.send(FIFO_MESS, 'g', 'x');
    const flushing = sender.flush();
    await until(() => service.streams.length === 1);
    service.streams[0]?.emit('error', { code: status.UNIMPLEMENTED, details: 'no such method' });
    await expect(flushing).rejects.toMatchObject({ reason: 'NOT_A_SIDECAR', outcome: 'not-sent' });
  });

  it('is aborted without waiting', async () => {
    const { sender, service } = await fakeSender();
    service.holdAnswers = true;
    await sender.send(FIFO_MESS, 'g', 'x');
    const flushing = sender.flush().catch((error: SpreadError) => error);
    sender.abort();
    expect(await flushing).toMatchObject({ statusName: 'CANCELLED', outcome: 'unknown' });
  });

  it.each([0, 3, 0x80, SAFE_MESS | 0x100])('rejects service type 0x%x before sending', async (type) => {
    const { sender } = await fakeSender();
    await expect(sender.send(type, 'g', 'x')).rejects.toMatchObject({ code: 'ILLEGAL_SERVICE', number: -12 });
    expect(sender.progress.sent).toBe(0);
  });

  it('that was closed stays closed when its mailbox ends', async () => {
    const { sender, mailbox } = await fakeSender();
    await sender.send(FIFO_MESS, 'g', 'x');
    await sender.close();
    await mailbox.disconnect();
    expect(await sender.close()).toEqual({ sent: 1, decided: 1, accepted: 1 });
  });

  it('ends with its mailbox', async () => {
    const { sender, mailbox } = await fakeSender();
    await mailbox.disconnect();
    await expect(sender.flush().then(() => sender.send(FIFO_MESS, 'g', 'x'))).rejects.toMatchObject({
      statusName: 'CANCELLED',
    });
  });
});
