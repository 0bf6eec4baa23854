import { duplexPair } from 'node:stream';
import { Session } from '../../../server/src/spread/session.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { type Message, SpreadCode } from '../../../server/src/spread/wire/index.js';
import { kept } from '../../support/wire/kept.js';
import type { Input } from '../engine/input.js';
import { type Target, Violation } from '../engine/target.js';
import { recorded } from './recordings.js';

/** Errors of Session.connect that the peer can cause. */
const CODES = new Set<string>([
  'COULD_NOT_CONNECT',
  'CONNECTION_CLOSED',
  ...Object.keys(SpreadCode).filter((code) => code.startsWith('REJECT_')),
]);

/** A whole Session: handshake, then messages, from a daemon that writes the input's pieces and disconnects. */
export const session: Target = {
  name: 'session',
  text: 'Session with a daemon that sends arbitrary bytes, from the handshake on',
  kind: 'pure',
  chunk: 500,
  lanes: 1,
  open: () => ({
    material: { seeds: recorded('recv', 'whole'), words: [], maxPieces: 24, maxPieceBytes: 8192 },
    run: play,
  }),
};

async function play(input: Input): Promise<string> {
  const [ours, daemons] = duplexPair();
  daemons.on('error', () => {});
  daemons.resume();
  const result = say(daemons, input);
  try {
    let session: Session;
    try {
      session = await Session.connect({
        address: '4803@127.0.0.1',
        privateName: 'a',
        timeoutMs: 5000,
        socketFactory: () => ours,
      });
    } catch (error) {
      return foreseen(error);
    }
    return await untilClosed(session);
  } finally {
    await result;
    daemons.destroy();
  }
}

async function say(daemons: NodeJS.WritableStream, input: Input): Promise<void> {
  for (const piece of input) {
    daemons.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  daemons.end();
}

function untilClosed(session: Session): Promise<string> {
  const messages: Message[] = [];
  let closed = 0;
  return new Promise((resolve, reject) => {
    session.start({
      onMessage: (message) => {
        if (closed > 0) reject(new Violation('a message came behind the end'));
        messages.push(kept(message));
      },
      onClose: (error) => {
        closed += 1;
        // A second call would arrive in this turn or the next.
        setImmediate(() => {
          if (closed !== 1) reject(new Violation(`onClose was called ${closed} times`));
          else if (session.state !== 'closed') reject(new Violation(`the session is ${session.state}`));
          else if (error?.code !== 'CONNECTION_CLOSED')
            reject(error ?? new Violation('the end has no error'));
          else resolve(`closed after ${Math.min(messages.length, 3)} messages`);
        });
      },
    });
  });
}

function foreseen(error: unknown): string {
  if (!(error instanceof SpreadError && CODES.has(error.code))) throw error;
  return error.code;
}
