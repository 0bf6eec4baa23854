import { AGREED_MESS, type Mailbox, openRequestReply, SpreadSidecar } from 'spread-sidecar-client';
import { percentile } from '../percentiles.js';
import { RoleProcess } from '../role-process.js';
import type { Check } from './check.js';

/** Largest ratio to a bare message to another process and back, which is also one message in each direction. */
const BOUND = 1.5;
const SIZE = 100;
/** Number of round trips of one kind before the next kind, so that a slow moment of the machine affects all kinds. */
const WINDOW = 100;

/** Sends one message and waits until it, or its reply, arrives. */
type Exchange = () => Promise<unknown>;

/**
 * Measures the round trip of a request with one reply, and of bare messages with the same client, in turn. One
 * process sends, and another process replies.
 */
export const requests: Check<'windows' | 'warmup'> = {
  id: 'requests',
  text: `round trip of a request with one reply: p50 at most ${BOUND} times the p50 of a bare message to another process and back`,
  options: {
    windows: { text: `number of windows of ${WINDOW} round trips for each kind`, default: 50 },
    warmup: { text: 'number of windows before the measurement', default: 20 },
  },
  async run({ windows, warmup }, stage) {
    const { tcpTarget: target } = await stage.sidecar('embedded');
    const [group, bare] = [stage.freshName('served'), stage.freshName('bare')];
    const server = await RoleProcess.start(stage.node, { job: 'serve', target, group, bare });
    const sidecar = new SpreadSidecar({ target });
    try {
      const payload = Buffer.alloc(SIZE);
      const calls = await openRequestReply(sidecar);
      const own = await sidecar.connect({ membership: false });
      const ownGroup = stage.freshName('own');
      await own.join(ownGroup);
      const kinds: readonly Exchange[] = [
        async () => {
          const sent = own.multicast(AGREED_MESS, ownGroup, payload);
          await own.receive();
          await sent;
        },
        bareExchange(own, ownGroup, payload),
        bareExchange(await sidecar.connect({ membership: false }), bare, payload),
        () => calls.request(group, payload),
      ];
      const samples = kinds.map((): number[] => []);
      for (let window = 0; window < warmup + windows; window += 1)
        for (const [kind, exchange] of kinds.entries()) {
          const times = await timesOf(exchange);
          if (window >= warmup) samples[kind]!.push(...times);
        }
      const [unary, toSelf, reflected, request] = samples.map((times) => percentile(times, 0.5)) as [
        number,
        number,
        number,
        number,
      ];
      return [
        { name: 'unary message to the own group, p50', value: unary, unit: 'µs' },
        { name: 'message to the own group, p50', value: toSelf, unit: 'µs' },
        { name: 'message to another process and back, p50', value: reflected, unit: 'µs' },
        { name: 'request with one reply, p50', value: request, unit: 'µs' },
        { name: 'request / unary message to the own group', value: request / unary, unit: '' },
        { name: 'request / message to the own group', value: request / toSelf, unit: '' },
        {
          ...{ name: 'request / message to another process and back', value: request / reflected, unit: '' },
          atMost: BOUND,
        },
      ];
    } finally {
      await sidecar.close();
      await server.end();
    }
  },
};

function bareExchange(mailbox: Mailbox, target: string, payload: Buffer): Exchange {
  const sender = mailbox.sender();
  return async () => {
    void sender.send(AGREED_MESS, target, payload);
    await mailbox.receive();
  };
}

/** The times of one window in microseconds. */
async function timesOf(exchange: Exchange): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < WINDOW; i += 1) {
    const startedAt = performance.now();
    await exchange();
    times.push((performance.now() - startedAt) * 1000);
  }
  return times;
}
