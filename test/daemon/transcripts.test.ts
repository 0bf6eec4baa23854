import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeMessage, type Frame, FrameDecoder, type Message } from '../../server/src/spread/wire/index.js';
import { type RunningDaemon, startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { everythingReceived, RawClient } from '../support/daemons/raw-client.js';
import { until } from '../support/until.js';
import { loadTranscript, type Transcript, transcriptNames } from '../support/wire/transcripts.js';
import { TranscriptPlayer } from './transcript-player.js';

/** Transcripts with more than one daemon. */
const severalDaemons = ['80-cluster-basics', '81-partition-merge', '84-daemon-crash-in-cluster'];

interface Difference {
  /** The reason why the embedded daemon behaves differently. */
  readonly reason: string;
  /** Plays the matching part and checks the different behaviour of the embedded daemon. */
  readonly instead: (play: Play) => Promise<void>;
}

interface Play {
  readonly transcript: Transcript;
  readonly running: RunningDaemon;
  readonly player: TranscriptPlayer;
}

const NULL_LIST = '054e554c4c20';

/** Index of the first matching step. */
function stepOf(transcript: Transcript, client: string, note: string): number {
  const found = transcript.steps.findIndex((step) => step.client === client && step.note.includes(note));
  if (found < 0) throw new Error(`no step of ${client} says '${note}'`);
  return found;
}

/** Index of the step at which `client` connects. */
const connectOf = (transcript: Transcript, client: string): number =>
  transcript.steps.findIndex((step) => step.client === client && step.dir === 'connect');

/**
 * Every difference between the embedded daemon and the transcripts. docs/embedded-daemon.md lists the differences
 * for users.
 */
const differences: Record<string, Difference> = {
  '09-handshake-split-writes': {
    reason: 'a connect request in several writes is accepted: harmless for clients, and no race',
    instead: async ({ transcript, player }) => {
      for (const client of ['a', 'b', 'c']) {
        const end = stepOf(transcript, client, 'closed without any byte');
        await player.playRange(connectOf(transcript, client), end);
        const stream = player.stream(client);
        expect((await stream.read(6)).toString('hex')).toBe(NULL_LIST);
        stream.socket.end();
        await stream.end();
      }
      await player.playRange(connectOf(transcript, 'u'), transcript.steps.length);
    },
  },
  '13-handshake-auth-ip': {
    reason: 'there is no method IP',
    instead: async ({ transcript, player }) => {
      for (const [client, accepted] of [
        ['null', true],
        ['ip', false],
        ['both', false],
      ] as const) {
        const request = transcript.steps.findIndex((s) => s.client === client && s.dir === 'send');
        await player.playRange(connectOf(transcript, client), request + 1);
        const stream = player.stream(client);
        expect((await stream.read(6)).toString('hex')).toBe(NULL_LIST);
        const choice = transcript.steps.findIndex((s) => s.client === client && s.bytes.length === 90);
        await player.playRange(choice, choice + 1);
        expect((await stream.read(1)).readInt8(0)).toBe(accepted ? 1 : -9);
      }
    },
  },
  '49-max-payload': {
    reason: 'the sender is disconnected; real Spread delivers the message and corrupts its own memory',
    instead: async ({ transcript, player, running }) => {
      const send = stepOf(transcript, 'a', '143120 bytes');
      await player.playRange(0, send + 1);
      await until(() => running.events.at(-1)?.kind === 'session-cut');
      expect(running.events.at(-1)).toMatchObject({ kind: 'session-cut', reason: 'illegal-message' });
      await player.stream('a').end();
    },
  },
  '50-crash-zone-payload': {
    reason: 'the sender is cut; real Spread dies',
    instead: async ({ transcript, player, running }) => {
      const bystander = stepOf(transcript, 'b', 'bystander');
      await player.playRange(0, bystander);
      expect(running.events.at(-1)).toMatchObject({ kind: 'session-cut', reason: 'illegal-message' });
      const other = await RawClient.connect(running.tcp);
      other.multicast({ groups: ['#b#localhost'], text: 'still here' });
      await until(() => player.stream('b').available > 0);
    },
  },
  '53-44-groups-lost': {
    reason: 'messages to 44 and more groups are delivered to those groups, and to nobody else',
    instead: async ({ transcript, player }) => {
      const first = stepOf(transcript, 'a', 'multicast type');
      await player.playRange(0, first);
      const sends = transcript.steps.filter((s) => s.client === 'a' && s.index >= first && s.dir === 'send');
      for (const send of sends.slice(0, 3)) {
        await player.playRange(send.index, send.index + 1);
        expect(await player.stream('b').read(send.bytes.length)).toEqual(send.bytes);
      }
      // Real Spread delivers these messages to the member of the empty-named group. The embedded daemon does not.
      await player.playRange(stepOf(transcript, 'e', 'LEAVE of the empty'), transcript.steps.length);
    },
  },
  '58-extra-type-bits': {
    reason: 'a client that sets membership, reject or internal bits is cut: it could forge views',
    instead: async ({ transcript, player, running }) => {
      // Bits 24 to 30 are forwarded as in the transcript.
      const forged = stepOf(transcript, 'a', 'multicast type 0x102 ');
      await player.playRange(0, forged + 1);
      await player.stream('a').end();
      const bits = transcript.steps.filter(
        (step) => step.index > forged && step.note.startsWith('multicast type'),
      );
      expect(bits).toHaveLength(9);
      for (const { bytes } of bits) {
        const { stream } = await RawClient.connect(running.tcp, { name: 'a' });
        stream.write(bytes);
        await stream.end();
      }
      const a = await RawClient.connect(running.tcp, { name: 'a' });
      a.send(transcript.steps[stepOf(transcript, 'a', 'JOIN with SELF_DISCARD')]!.bytes);
      expect(await a.nextView()).toMatchObject({ members: ['#a#localhost', '#b#localhost'] });
      expect(messagesIn(player, 'b')).toMatchObject([
        { kind: 'view', cause: 'JOIN', changed: ['#a#localhost'] },
      ]);
    },
  },
  '59-reject-bit': {
    reason: 'a client that sets the reject bit is cut',
    instead: async ({ transcript, player }) => {
      await player.playRange(0, stepOf(transcript, 'a', 'own frame back'));
      await player.stream('a').end();
      await until(() => player.stream('b').available >= 136);
      expect(messagesIn(player, 'b')).toMatchObject([
        { kind: 'view', cause: 'DISCONNECT', changed: ['#a#localhost'] },
      ]);
    },
  },
  '74-reject-messages': {
    reason: 'there is no access policy, so nothing is refused',
    instead: async ({ transcript, player }) => {
      const join = stepOf(transcript, 'a', "JOIN 'denyme'");
      await player.playRange(0, join + 1);
      await until(() => player.stream('a').available >= 136);
      expect(messagesIn(player, 'a')).toMatchObject([{ kind: 'view', group: 'denyme' }]);
    },
  },
};

function messagesIn(player: TranscriptPlayer, client: string): Message[] {
  const messages: Message[] = [];
  new FrameDecoder({ role: 'client' }, (frame) => messages.push(decodeMessage(frame))).push(
    player.stream(client).take(),
  );
  return messages;
}

/** Transcripts in which the number of repetitions depends on the kernel and on chance. */
const counted = ['68-slow-reader-default', '69-slow-reader-limit-5'];

async function startFor(transcript: Transcript): Promise<Play> {
  const running = await startEmbeddedDaemon({
    maxSessionMessages: transcript.name === '69-slow-reader-limit-5' ? 5 : undefined,
  });
  const player = new TranscriptPlayer(transcript, {
    tcp: running.tcp,
    unix: running.unix,
    onNote: async (step) => {
      if (step.note.includes('SIGTERM')) await running.daemon.close();
      if (step.note.includes('997 sessions are open'))
        await Promise.all(Array.from({ length: 997 }, () => RawClient.connect(running.tcp)));
    },
  });
  return { transcript, running, player };
}

describe('the embedded daemon responds as real Spread did in the recordings', () => {
  const all = transcriptNames().filter((name) => !severalDaemons.includes(name) && !counted.includes(name));

  it.each(all.filter((name) => !differences[name]))('%s', async (name) => {
    const { player } = await startFor(loadTranscript(name));
    await player.play();
  });

  it.each(Object.entries(differences).map(([name, difference]) => ({ name, ...difference })))(
    '$name, but: $reason',
    async ({ name, instead }) => {
      await instead(await startFor(loadTranscript(name)));
    },
  );

  it('differs only where the documentation says so', () => {
    const page = readFileSync(new URL('../../docs/embedded-daemon.md', import.meta.url), 'utf8');
    for (const name of [...Object.keys(differences), ...counted]) expect(page).toContain(`\`${name}\``);
  });

  it('refers only to transcripts that exist', () => {
    expect(transcriptNames()).toEqual(expect.arrayContaining([...Object.keys(differences), ...counted]));
  });
});

describe('a receiver that does not read is disconnected as in the recording, however often that takes', () => {
  it('68-slow-reader-default', async () => {
    const { transcript, player, running } = await startFor(loadTranscript('68'));
    const flood = stepOf(transcript, 'snd', 'sent again and again');
    await player.playRange(0, flood);
    const { bytes } = transcript.steps[flood]!;
    const disconnectStep = transcript.steps[stepOf(transcript, 'mon', 'slow is gone')]!;
    const slow = player.stream('slow');
    slow.socket.pause();

    // The monitor reads each batch before the next one is sent, so it is never slow.
    const frames: Frame[] = [];
    const decoder = new FrameDecoder({ role: 'client' }, (frame) => frames.push(frame));
    const batch = Buffer.concat(Array.from({ length: 100 }, () => bytes));
    let sent = 0;
    while (!running.events.some((event) => event.kind === 'session-cut')) {
      player.stream('snd').write(batch);
      sent += 100;
      await until(() => {
        decoder.push(player.stream('mon').take());
        return frames.length >= sent;
      });
    }
    await until(() => {
      decoder.push(player.stream('mon').take());
      return frames.length > sent;
    });
    const views = frames.filter(({ header }) => header.privateGroup === 'room');
    expect(views).toHaveLength(1);
    expect(Buffer.concat([views[0]!.headerBytes, views[0]!.body]).subarray(0, 80)).toEqual(
      disconnectStep.bytes.subarray(0, 80),
    );
    for (const frame of frames)
      if (frame !== views[0]) expect(frame.body.equals(bytes.subarray(48))).toBe(true);
    expect(running.events.at(-1)).toMatchObject({
      kind: 'session-cut',
      privateGroup: '#slow#localhost',
      reason: 'slow-reader',
      messagesLost: 1000,
    });

    // The bytes in the kernel can still be read. Then the stream ends, perhaps within a message.
    slow.socket.resume();
    await until(() => slow.socket.readableEnded || slow.socket.destroyed);
    const read = slow.take();
    for (let at = 0; at + bytes.length <= read.length; at += bytes.length)
      expect(read.subarray(at, at + bytes.length).equals(bytes)).toBe(true);
    expect(Math.floor(read.length / bytes.length)).toBeGreaterThanOrEqual(sent - 100 - 1001 - 1);
  });

  it('69-slow-reader-limit-5', async () => {
    const { transcript, player, running } = await startFor(loadTranscript('69'));
    const flood = stepOf(transcript, 'self', 'sent repeatedly without reading');
    await player.playRange(0, flood);
    const { bytes } = transcript.steps[flood]!;
    const self = player.stream('self');
    const mon = player.stream('mon');
    self.socket.pause();
    let sent = 0;
    while (!running.events.some((event) => event.kind === 'session-cut')) {
      self.write(bytes);
      sent += 1;
      // The last message can find the session closed.
      await until(() => mon.available >= bytes.length);
      expect(sent).toBeLessThan(2000);
      if (mon.available >= bytes.length) expect((await mon.read(bytes.length)).equals(bytes)).toBe(true);
    }
    const disconnectStep = transcript.steps[stepOf(transcript, 'mon', 'view: self was disconnected')]!;
    const view = await mon.read(disconnectStep.bytes.length);
    expect(view.subarray(0, 80)).toEqual(disconnectStep.bytes.subarray(0, 80));
  });

  it('a daemon that has disconnected a client continues to serve the others', async () => {
    const { tcp, events } = await startEmbeddedDaemon({ maxSessionMessages: 10 });
    const [slow, reader, sender] = await Promise.all([
      RawClient.connect(tcp, { name: 'slow' }),
      RawClient.connect(tcp, { name: 'reader' }),
      RawClient.connect(tcp, { name: 'sender' }),
    ]);
    slow.join('g');
    await slow.nextView();
    reader.join('g');
    await reader.nextView();
    slow.pauseReading();
    const payload = Buffer.alloc(100_000);
    let sent = 0;
    while (!events.some((event) => event.kind === 'session-cut')) {
      sender.multicast({ groups: ['g'], payload });
      sent += 1;
      await until(() => reader.received.length >= sent);
    }
    const [got] = await everythingReceived(sender, reader);
    expect(got!.filter((message) => message.kind === 'regular')).toHaveLength(sent);
    expect(got!.at(-1)).toMatchObject({ kind: 'view', cause: 'DISCONNECT', changed: ['#slow#localhost'] });
  });
});
