import type { NetConnectOpts } from 'node:net';
import { ByteStream } from '../support/daemons/byte-stream.js';
import { until } from '../support/until.js';
import type { Transcript, TranscriptStep } from '../support/wire/transcripts.js';

/** Longest time that `quiet` steps listen, in ms. Later bytes appear in the next step, or at the end. */
const QUIET_MS = 40;
const NAME_FIELD = 32;

export interface PlayerOptions {
  readonly tcp: NetConnectOpts;
  readonly unix: NetConnectOpts;
  /** Called for steps that belong to no client, for example "daemon gets SIGTERM". */
  readonly onNote?: (step: TranscriptStep) => Promise<void>;
}

/**
 * Plays the clients of a transcript to a daemon and compares each byte of its responses with the transcript. Names
 * that the daemon generates may differ, and so may the ranges that the transcript lists as volatile.
 */
export class TranscriptPlayer {
  readonly #streams = new Map<string, ByteStream>();
  /** Private groups that this daemon generated, by those in the transcript. */
  readonly #invented = new Map<string, string>();

  constructor(
    private readonly transcript: Transcript,
    private readonly options: PlayerOptions,
  ) {}

  /** The connection of a client. */
  stream(client: string): ByteStream {
    const stream = this.#streams.get(client);
    if (!stream) throw new Error(`${client} is not connected`);
    return stream;
  }

  /** Plays all steps, then checks that no client received more than the transcript has. */
  async play(): Promise<void> {
    await this.playRange(0, this.transcript.steps.length);
    for (const [client, stream] of this.#streams)
      if (stream.available > 0)
        throw new Error(`${client} got more than was recorded: ${stream.take().toString('hex')}`);
  }

  /** Plays the steps from `first` to before `end`. */
  async playRange(first: number, end: number): Promise<void> {
    for (const step of this.transcript.steps.slice(first, end)) {
      try {
        await this.#play(step);
      } catch (error) {
        throw new Error(
          `step ${step.index}, client ${step.client}, ${step.dir} (${step.note}): ${(error as Error).message}`,
        );
      }
    }
  }

  async #play(step: TranscriptStep): Promise<void> {
    switch (step.dir) {
      case 'connect':
        return this.#connect(step);
      case 'send':
        return this.#send(step);
      case 'recv':
        return this.#receive(step);
      case 'eof':
        return this.stream(step.client).end();
      case 'quiet':
        return this.#quiet(step);
      case 'close': {
        const { socket } = this.stream(step.client);
        if (step.note.includes('sending direction only')) socket.end();
        else socket.destroy();
        return;
      }
      case 'note':
        return this.options.onNote?.(step);
    }
  }

  async #connect({ client }: TranscriptStep): Promise<void> {
    const transport = this.transcript.clients.find(({ id }) => id === client)?.transport;
    const where = transport?.startsWith('unix') ? this.options.unix : this.options.tcp;
    this.#streams.set(client, await ByteStream.connect(where));
  }

  async #send(step: TranscriptStep): Promise<void> {
    const { socket } = this.stream(step.client);
    const bytes = this.#substituted(step.bytes);
    for (let i = 0; i < step.repeat; i++) {
      let offset = 0;
      for (const size of step.chunks ?? []) {
        // Each piece is a packet of its own: the next piece is written after the kernel has accepted this one.
        await new Promise((resolve) => socket.write(bytes.subarray(offset, offset + size), resolve));
        offset += size;
      }
      socket.write(bytes.subarray(offset));
    }
  }

  async #receive(step: TranscriptStep): Promise<void> {
    const stream = this.stream(step.client);
    if (step.note === 'length of private group name' && this.#isVolatile(step)) {
      const [length] = await stream.read(1);
      const name = (await stream.read(length!)).toString('latin1');
      const recorded = this.transcript.steps[step.index + 1]!.bytes.toString('latin1');
      if (!/^#r\d{1,4}-\d{1,7}#localhost$/.test(name) || name.indexOf('#', 1) > 10)
        throw new Error(`the daemon invented the private group ${name}`);
      this.#invented.set(recorded, name);
      return;
    }
    // Read together with its length.
    if (this.#invented.has(step.bytes.toString('latin1'))) return;
    for (let i = 0; i < step.repeat; i++) this.#compare(step, await stream.read(step.bytes.length));
  }

  #compare(step: TranscriptStep, got: Buffer): void {
    const wanted = this.#substituted(step.bytes);
    for (const { offset, length, what } of this.transcript.volatile.filter((v) => v.step === step.index))
      if (what !== 'generated name') got.copy(wanted, offset, offset, offset + length);
    if (wanted.equals(got)) return;
    const at = wanted.findIndex((byte, i) => byte !== got[i]);
    const hex = (bytes: Buffer) => bytes.subarray(at, at + 16).toString('hex');
    throw new Error(`byte ${at} differs: recorded ${hex(wanted)}, got ${hex(got)}`);
  }

  async #quiet({ client, seconds = 1 }: TranscriptStep): Promise<void> {
    const stream = this.stream(client);
    const listenedUntil = Date.now() + Math.min(QUIET_MS, seconds * 1000);
    await until(() => Date.now() >= listenedUntil || stream.available > 0 || stream.ended);
    if (stream.available > 0) throw new Error(`got ${stream.take().toString('hex')}`);
    if (stream.ended) throw new Error('got the end of the stream');
  }

  #isVolatile(step: TranscriptStep): boolean {
    return this.transcript.volatile.some((range) => range.step === step.index);
  }

  /** A copy with the names of this daemon in place of those in the transcript. */
  #substituted(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    for (const [recorded, invented] of this.#invented) {
      const from = Buffer.alloc(NAME_FIELD);
      from.write(recorded, 'latin1');
      for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + NAME_FIELD)) {
        copy.fill(0, at, at + NAME_FIELD);
        copy.write(invented, at, 'latin1');
      }
    }
    return copy;
  }
}
