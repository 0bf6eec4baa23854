// The operations of the driver for requests and replies.
import { once } from 'node:events';
import {
  openRequestReply,
  type RequestHandler,
  type RequestReply,
  type RequestService,
  type SpreadSidecar,
} from 'spread-sidecar-client';
import { Named } from './named.js';
import { DriverError, type Op } from './protocol.js';

interface OpenRequestReply {
  readonly calls: RequestReply;
  readonly services: Named<RequestService>;
  /** Aborted when the object closes. Handlers that never reply wait for it. */
  readonly closing: AbortController;
}

/** The handlers by their `behaviour`. */
const handlers: Readonly<Record<string, (closing: AbortSignal) => RequestHandler>> = {
  echo:
    () =>
    ({ payload }) => ({ payload, headers: { served: 'yes' } }),
  fail: () => () => {
    throw new Error('it failed');
  },
  never: (closing) => async () => {
    await once(closing, 'abort');
    return '';
  },
};

function handlerOf(behaviour: string, closing: AbortSignal): RequestHandler {
  const handler = handlers[behaviour];
  if (handler === undefined) throw new DriverError(`no behaviour is called ${behaviour}`);
  return handler(closing);
}

/** The operations, over the channels of the driver. */
export function requestReplyOps(sidecars: Named<SpreadSidecar>): Record<string, Op> {
  const opened = new Named<OpenRequestReply>('request-reply object');
  return {
    async openRequestReply({ sidecar, calls: name, ...options }, signal) {
      const calls = await openRequestReply(sidecars.of(sidecar), { ...options, signal });
      opened.set(name, { calls, services: new Named('service'), closing: new AbortController() });
      return { privateGroup: calls.privateGroup };
    },
    async serve({ calls: name, group, behaviour, ...options }, signal) {
      const { calls, services, closing } = opened.of(name);
      const handler = handlerOf(behaviour, closing.signal);
      services.set(group, await calls.serve(group, handler, { ...options, signal }));
    },
    stopServing: ({ calls, group, timeoutMs }, signal) =>
      opened.of(calls).services.of(group).stop({ timeoutMs, signal }),
    async request({ calls, target, payload, ...options }, signal) {
      const { replies, ...result } = await opened
        .of(calls)
        .calls.request(target, Buffer.from(payload, 'base64'), { ...options, signal });
      return {
        replies: replies.map(({ sender, payload: bytes, headers, error = null }) => ({
          ...{ sender, headers, error },
          payload: bytes.toString('base64'),
        })),
        ...result,
      };
    },
    requestStatistics: ({ calls }) => opened.of(calls).calls.statistics,
    async closeRequestReply({ calls: name, timeoutMs }, signal) {
      const { calls, closing } = opened.of(name);
      closing.abort();
      await calls.close({ timeoutMs, signal });
    },
  };
}
