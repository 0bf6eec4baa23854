// The frames of a scripted Receive stream, from their short form in a case.
import {
  Acknowledgement,
  Event,
  EventBatch,
  type ReceiveRequest,
  ReceiveResponse,
} from 'spread-sidecar-proto';

/** A frame in its short form. Exactly one member is set. */
export interface FrameForm {
  /** `attached`. True: continues after the sequence of the request. */
  readonly attached?: true | { readonly next: number };
  /** A batch of regular messages with these sequences. */
  readonly events?: readonly number[];
  /** A batch of one regular message with this sequence and a payload of 60 KB. */
  readonly largeEvent?: number;
  /** A batch of events that have a kind of a later release, with these sequences. */
  readonly unknownKinds?: readonly number[];
  /** A heartbeat with this last sequence. */
  readonly heartbeat?: number;
  /** A frame of a later release. */
  readonly unknownFrame?: true;
  /** Bytes that are no frame, in hexadecimal digits. */
  readonly bytes?: string;
}

const FRAME_KEYS = ['attached', 'events', 'largeEvent', 'unknownKinds', 'heartbeat', 'unknownFrame', 'bytes'];

/** A field with number 100, which no message of the contract has. */
const UNKNOWN_FIELD = Buffer.from('a2060100', 'hex');
/** Field 2 of ReceiveResponse and field 1 of EventBatch: both have length-delimited content. */
const [TAG_BATCH, TAG_EVENT] = [0x12, 0x0a];
const RECEIVED_AT = { seconds: 1_700_000_000n, nanos: 0 };

/** Encodes a frame for the stream of this request. */
export function encodeFrame(form: FrameForm, request: ReceiveRequest): Buffer {
  const [key, ...others] = Object.keys(form);
  if (key === undefined || others.length > 0 || !FRAME_KEYS.includes(key))
    throw new Error(`a frame has exactly one of ${FRAME_KEYS.join(', ')}: ${JSON.stringify(form)}`);
  if (form.unknownFrame) return UNKNOWN_FIELD;
  if (form.bytes !== undefined) return Buffer.from(form.bytes, 'hex');
  if (form.unknownKinds) return batchOf(form.unknownKinds.map(unknownKind));
  return Buffer.from(ReceiveResponse.encode({ frame: frameOf(form, request) }).finish());
}

function frameOf(form: FrameForm, { afterSequence = 0n }: ReceiveRequest): ReceiveResponse['frame'] {
  if (form.attached !== undefined) {
    const nextSequence = form.attached === true ? afterSequence + 1n : BigInt(form.attached.next);
    const value = {
      nextSequence,
      oldestRetainedSequence: 1n,
      lastSequence: nextSequence - 1n,
      privateGroup: '#scripted#fake',
      groups: [],
      acknowledgement: Acknowledgement.AUTO,
      acknowledgedSequence: 0n,
    };
    return { $case: 'attached', value };
  }
  if (form.heartbeat !== undefined)
    return { $case: 'heartbeat', value: { lastSequence: BigInt(form.heartbeat), time: RECEIVED_AT } };
  const events =
    form.largeEvent === undefined
      ? (form.events ?? []).map((sequence) => regular(sequence))
      : [regular(form.largeEvent, LARGE_PAYLOAD)];
  return { $case: 'batch', value: EventBatch.create({ events }) };
}

const LARGE_PAYLOAD = Buffer.alloc(60_000, 'x');

/** A regular message. The default payload is the sequence in digits. */
function regular(sequence: number, payload = Buffer.from(String(sequence))): Event {
  return Event.fromPartial({
    sequence: String(sequence),
    receivedAt: { seconds: '1700000000' },
    kind: {
      $case: 'regularMessage',
      value: {
        sender: '#other#fake',
        groups: ['g'],
        serviceType: 6,
        payload,
        spreadType: 0x20,
      },
    },
  } as never);
}

function unknownKind(sequence: number): Buffer {
  const known = Event.encode({ sequence: BigInt(sequence), receivedAt: RECEIVED_AT, kind: undefined });
  return Buffer.concat([known.finish(), UNKNOWN_FIELD]);
}

/** The lengths of these batches fit in one byte. */
function batchOf(events: readonly Buffer[]): Buffer {
  const content = Buffer.concat(events.flatMap((bytes) => [Buffer.from([TAG_EVENT, bytes.length]), bytes]));
  if (content.length > 127) throw new Error('a batch of unknown kinds has at most 127 bytes');
  return Buffer.concat([Buffer.from([TAG_BATCH, content.length]), content]);
}
