import { join } from 'node:path';
import { type DaemonEvent, EmbeddedDaemon, listen } from '../../../server/src/daemon/index.js';
import { MAX_GROUP_NAME } from '../../../server/src/spread/wire/index.js';
import { until } from '../../support/until.js';
import type { Input } from '../engine/input.js';
import { type Target, Violation } from '../engine/target.js';
import { DaemonBystanders } from '../network/daemon-bystanders.js';
import { freshFolder } from '../network/folder.js';
import { open, say } from '../network/raw-connection.js';
import { recorded, recordedPrivateGroups } from './recordings.js';

/** The embedded daemon with its listener: several concurrent hostile connections beside two well-behaved ones. */
export const daemon: Target = {
  name: 'daemon',
  text: 'the embedded daemon: whole connections, several at a time, beside two well-behaved clients',
  kind: 'network',
  chunk: 400,
  lanes: 16,
  open: async () => {
    const folder = freshFolder();
    const path = join(folder.path, 's');
    const events: DaemonEvent[] = [];
    const daemon = new EmbeddedDaemon({
      handshakeTimeoutMs: 50,
      onEvent: (event) => {
        if (event.kind === 'session-cut' && event.reason === 'internal-error') events.push(event);
      },
    });
    const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 }, unixPath: path });
    const good = await DaemonBystanders.connect({ kind: 'unix', path });
    const groups = recordedPrivateGroups();
    let serial = 0;
    return {
      material: { seeds: recorded('send', 'whole'), words: [], maxPieces: 24, maxPieceBytes: 16 * 1024 },
      run: async (input) => {
        serial += 1;
        if (serial % 16 === 0) good.send();
        const where = serial % 8 === 0 ? { host: '127.0.0.1', port: listening.tcpPort! } : { path };
        const result = await say(await open(where), asOneOfMany(input, groups, serial), {
          waitFor: 2,
          patienceMs: 25,
          untilClosed: true,
        });
        if (result.bytes === 0) return result.closed ? 'closed without a word' : 'no word';
        const first = result.answer.readInt8(0);
        if (first < 0) return `refused ${first}`;
        return result.bytes > 60 ? 'session, with messages' : result.bytes > 8 ? 'session' : 'handshake';
      },
      settle: async () => {
        await good.areUnharmed();
        const [defect] = events;
        if (defect?.kind === 'session-cut') throw defect.error;
        await until(() => daemon.counters().connections === 2, {
          timeoutMs: 10_000,
          what: `nobody else stays: ${JSON.stringify(daemon.counters())}`,
        });
        const { sessions, memberships, queuedBytes, groups } = daemon.counters();
        if (sessions !== 2 || memberships !== 1 || queuedBytes !== 0 || groups !== 1)
          throw new Violation(`something is left behind: ${JSON.stringify(daemon.counters())}`);
      },
      stop: async () => {
        await good.leave();
        await listening.close();
        await daemon.close();
        folder.remove();
      },
    };
  },
};

/**
 * Concurrent lanes cannot use the recording's private name together. Each lane uses its own name, also in its
 * frames.
 */
function asOneOfMany(input: Input, groups: readonly string[], serial: number): Input {
  const [request, ...rest] = input;
  if (request === undefined || request.length < 6) return input;
  const length = request[4]!;
  if (request[0] !== 5 || length === 0 || request.length !== 5 + length) return input;
  const old = request.toString('latin1', 5);
  const name = `z${(serial % 1_000_000).toString(36)}`;
  const group = groups.find((known) => known.startsWith(`#${old}#`));
  if (group === undefined) return input;
  const field = (text: string) => Buffer.from(text.padEnd(MAX_GROUP_NAME, '\0'), 'latin1');
  const [from, to] = [field(group), field(`#${name}#localhost`)];
  return [
    Buffer.concat([request.subarray(0, 4), Buffer.from([name.length]), Buffer.from(name)]),
    ...rest.map((piece) => {
      const at = piece.indexOf(from);
      if (at < 0) return piece;
      const copy = Buffer.from(piece);
      for (let place = at; place >= 0; place = copy.indexOf(from, place + 1)) to.copy(copy, place);
      return copy;
    }),
  ];
}
