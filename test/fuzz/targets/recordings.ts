import {
  type ClientRecording,
  clientRecordings,
  loadTranscript,
  transcriptNames,
} from '../../support/wire/transcripts.js';
import type { Input } from '../engine/input.js';

/** Longer pieces only slow down copying: the headers contain everything special about long payloads. */
const MAX_PIECE = 4096;
const MAX_PIECES = 24;

let recordings: readonly ClientRecording[] | undefined;

const all = () => {
  recordings ??= transcriptNames().flatMap((name) => clientRecordings(loadTranscript(name)));
  return recordings;
};

/** The writes of one side in each recording with a real daemon. */
export function recorded(side: 'send' | 'recv', part: 'handshake' | 'session' | 'whole'): Input[] {
  const inputs = all().map((recording) => {
    const { handshake, session } = recording;
    const steps = part === 'whole' ? [...handshake, ...session] : recording[part];
    return steps
      .filter(({ dir, bytes }) => dir === side && bytes.length > 0)
      .slice(0, MAX_PIECES)
      .map(({ bytes }) => bytes.subarray(0, MAX_PIECE));
  });
  return distinct(inputs.filter((input) => input.length > 0));
}

/** The private groups of the clients in the recordings. */
export const recordedPrivateGroups = (): string[] => [
  ...new Set(all().flatMap(({ privateGroup }) => privateGroup ?? [])),
];

function distinct(inputs: readonly Input[]): Input[] {
  const found = new Map(
    inputs.map((input) => [input.map((piece) => piece.toString('latin1')).join('|'), input]),
  );
  return [...found.values()];
}
