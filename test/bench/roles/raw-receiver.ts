import { type ClientReadableStream, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { ReceiveRequest } from 'spread-sidecar-proto';

/** `ReceiveResponse.batch` and `EventBatch.events`: field number << 3 | length-delimited. */
const BATCH = (2 << 3) | 2;
const EVENTS = (1 << 3) | 2;

/**
 * One Receive that counts the events in frames without decoding them. The count includes the view of the mailbox's
 * own join.
 */
export class RawReceiver {
  readonly #target: string;
  readonly #mailboxId: string;
  #call: ClientReadableStream<number> | undefined;
  #taken = -1;
  #wanted = 0;
  #enough: (() => void) | undefined;

  constructor(target: string, mailboxId: string) {
    this.#target = target;
    this.#mailboxId = mailboxId;
  }

  async take(count: number): Promise<void> {
    this.#wanted += count;
    this.#call ??= this.#open();
    this.#call.resume();
    if (this.#taken < this.#wanted)
      await new Promise<void>((resolve) => {
        this.#enough = resolve;
      });
    this.#call.pause();
  }

  close(): void {
    this.#call?.cancel();
  }

  #open(): ClientReadableStream<number> {
    const Client = makeGenericClientConstructor({}, 'raw');
    const client = new Client(this.#target, credentials.createInsecure());
    const call = client.makeServerStreamRequest(
      '/spread.sidecar.v1.MailboxService/Receive',
      (request: ReceiveRequest) => Buffer.from(ReceiveRequest.encode(request).finish()),
      countEvents,
      ReceiveRequest.fromPartial({ mailboxId: this.#mailboxId }),
    );
    call.on('error', () => {});
    call.on('data', (events: number) => {
      this.#taken += events;
      if (this.#taken >= this.#wanted) this.#enough?.();
    });
    return call;
  }
}

/** Number of events in a ReceiveResponse. */
export function countEvents(frame: Buffer): number {
  if (frame.length === 0 || frame[0] !== BATCH) return 0;
  let at = skipVarint(frame, 1);
  let events = 0;
  while (at < frame.length && frame[at] === EVENTS) {
    let length = 0;
    let shift = 0;
    at += 1;
    for (;;) {
      const byte = frame[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    at += length;
    events += 1;
  }
  return events;
}

function skipVarint(frame: Buffer, at: number): number {
  let end = at;
  while ((frame[end] as number) >= 0x80) end += 1;
  return end + 1;
}
