import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../wire/transcripts/', import.meta.url);

/** One step of a recording. `send` is the client's, `recv` the daemon's. */
export interface TranscriptStep {
  /** Position in the recording, as `volatile` counts it. */
  readonly index: number;
  /** `-` in a note without a client. */
  readonly client: string;
  readonly dir: 'connect' | 'send' | 'recv' | 'close' | 'eof' | 'quiet' | 'note';
  /** Exact bytes of `send` and `recv`; empty otherwise. Not multiplied by `repeat`. */
  readonly bytes: Buffer;
  readonly note: string;
  /** Number of repetitions of the step. */
  readonly repeat: number;
  /** Sizes of the writes, if they matter. */
  readonly chunks: readonly number[] | undefined;
  /** Whether `eof` was an ECONNRESET. */
  readonly reset: boolean;
  /** Time without input in a `quiet` step. Unit: s. */
  readonly seconds: number | undefined;
  /** Whether the number of repetitions or bytes differs from run to run. */
  readonly volatileCount: boolean;
}

export interface VolatileRange {
  readonly step: number;
  readonly offset: number;
  readonly length: number;
  readonly what: string;
}

/** A recording of clients with a real Spread 5.0.1 daemon. */
export interface Transcript {
  readonly name: string;
  readonly description: string;
  readonly clients: readonly { readonly id: string; readonly transport: string; readonly address: string }[];
  /** Bytes that differ from run to run. */
  readonly volatile: readonly VolatileRange[];
  readonly steps: readonly TranscriptStep[];
}

interface RawStep {
  client?: string;
  dir: TranscriptStep['dir'];
  hex?: string;
  note?: string;
  repeat?: number;
  repeat_at_least?: number;
  chunks?: number[];
  reset?: boolean;
  seconds?: number;
  volatile_count?: boolean;
}

/** Names of all recordings, e.g. `01-handshake-tcp`, in order. */
export function transcriptNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** Reads one recording. `name` may be its number alone, e.g. `81`. */
export function loadTranscript(name: string): Transcript {
  const full = transcriptNames().find((known) => known === name || known.startsWith(`${name}-`));
  if (full === undefined) throw new Error(`no transcript ${name}`);
  const raw = JSON.parse(readFileSync(new URL(`${full}.json`, FOLDER), 'utf8')) as {
    description: string;
    clients: { id: string; transport?: string; address?: string }[];
    volatile?: VolatileRange[];
    steps: RawStep[];
  };
  return {
    name: full,
    description: raw.description,
    clients: raw.clients.map(({ id, transport = 'tcp', address = '' }) => ({ id, transport, address })),
    volatile: raw.volatile ?? [],
    steps: raw.steps.map((step, index) => ({
      index,
      client: step.client ?? '-',
      dir: step.dir,
      bytes: Buffer.from(step.hex ?? '', 'hex'),
      note: step.note ?? '',
      repeat: step.repeat ?? step.repeat_at_least ?? 1,
      chunks: step.chunks,
      reset: step.reset ?? false,
      seconds: step.seconds,
      volatileCount: step.volatile_count ?? false,
    })),
  };
}

/** The actions and the input of one client, split at the end of its handshake. */
export interface ClientRecording {
  readonly id: string;
  readonly transcript: Transcript;
  /** Up to and including the private group. Everything if the session was not accepted. */
  readonly handshake: readonly TranscriptStep[];
  /** The rest. */
  readonly session: readonly TranscriptStep[];
  /** The private group of the client. Undefined if the daemon did not accept it. */
  readonly privateGroup: string | undefined;
}

/** The recording of each client of `transcript`. */
export function clientRecordings(transcript: Transcript): ClientRecording[] {
  return transcript.clients.map(({ id }) => {
    const steps = transcript.steps.filter((step) => step.client === id);
    const accepted = steps.findIndex((step) => step.dir === 'recv' && step.note === 'private group name');
    const end = accepted < 0 ? steps.length : accepted + 1;
    return {
      id,
      transcript,
      handshake: steps.slice(0, end),
      session: steps.slice(end),
      privateGroup: steps[accepted]?.bytes.toString('latin1'),
    };
  });
}

/** All bytes of `dir` in `steps`, including repetitions. */
export function bytesOf(steps: readonly TranscriptStep[], dir: 'send' | 'recv'): Buffer {
  const parts: Buffer[] = [];
  for (const step of steps) {
    if (step.dir === dir) for (let i = 0; i < step.repeat; i++) parts.push(step.bytes);
  }
  return Buffer.concat(parts);
}
