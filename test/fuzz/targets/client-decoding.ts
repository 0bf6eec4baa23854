import { Metadata, type ServiceError } from '@grpc/grpc-js';
import * as rich from 'spread-sidecar-proto';
import { MailboxServiceService, ReceiveResponse } from 'spread-sidecar-proto';
import { toSpreadEvent, toView } from '../../../clients/typescript/src/from-event.js';
import { toMailboxLimits } from '../../../clients/typescript/src/limits.js';
import { toMailboxInfo } from '../../../clients/typescript/src/mailbox-info.js';
import { toSpreadError } from '../../../clients/typescript/src/rich-status.js';
import { isTransportFailure } from '../../../clients/typescript/src/rules/failures.js';
import { SpreadError } from '../../../clients/typescript/src/spread-error.js';
import { type Target, Violation } from '../engine/target.js';
import { words } from '../engine/text.js';
import { RPCS } from './request-seeds.js';
import { responseSeeds } from './response-seeds.js';

/** Errors of a protobuf decoder for malformed bytes. grpc-js turns them into a status. */
const isDecodeError = (error: unknown): boolean =>
  error instanceof RangeError ||
  (error instanceof Error &&
    error.constructor === Error &&
    /wire|tag|varint|end|recursion/i.test(error.message));

/** The responses of a hostile sidecar, decoded by the TypeScript client. The first byte chooses the call. */
export const responses: Target = {
  name: 'responses',
  text: "a sidecar's responses and events, decoded by the TypeScript client",
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: responseSeeds().map(({ rpc, bytes }) => [Buffer.from([RPCS.indexOf(rpc)]), bytes]),
      words: [],
      maxPieces: 3,
      maxPieceBytes: 4096,
    },
    run: ([first = Buffer.alloc(0), ...rest]) => {
      const rpc = RPCS[(first[0] ?? 0) % RPCS.length]!;
      const bytes = Buffer.concat(rest);
      let answer: object;
      try {
        answer =
          rpc === 'receive'
            ? ReceiveResponse.decode(bytes)
            : MailboxServiceService[rpc].responseDeserialize(bytes);
      } catch (error) {
        if (isDecodeError(error)) return `${rpc} malformed`;
        throw error;
      }
      use(answer as Parts);
      return `${rpc} read`;
    },
  }),
};

type Parts = ReceiveResponse & {
  mailbox?: Parameters<typeof toMailboxInfo>[0];
  mailboxes?: Parameters<typeof toMailboxInfo>[0][];
  view?: Parameters<typeof toView>[0];
  limits?: Parameters<typeof toMailboxLimits>[0];
};

/** Everything that the client derives from a response. */
function use({ frame, mailbox, mailboxes = [], view, limits }: Parts): void {
  if (frame?.$case === 'batch')
    for (const event of frame.value.events) {
      const given = toSpreadEvent(event);
      if (given === undefined) continue;
      if (typeof given.sequence !== 'bigint') throw new Violation('an event without a sequence');
      if ('text' in given && typeof given.text() !== 'string')
        throw new Violation('a message without a text');
      JSON.stringify(given, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    }
  if (view) toView(view);
  if (limits) toMailboxLimits(limits);
  for (const info of mailbox ? [mailbox, ...mailboxes] : mailboxes) toMailboxInfo(info);
}

const DETAILS = 'grpc-status-details-bin';

/** Pieces: the status code (first byte), its message, then the bytes of the trailer. */
export const richStatus: Target = {
  name: 'rich-status',
  text: "statuses and their rich details as the TypeScript client's errors",
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => {
    const any = (name: string, value: Uint8Array) => ({
      typeUrl: `type.googleapis.com/google.rpc.${name}`,
      value: Buffer.from(value),
    });
    const info = rich.ErrorInfo.encode({
      reason: 'ILLEGAL_GROUP',
      domain: 'spread.org',
      metadata: new Map(
        Object.entries({ spread_code: '-14', field: 'group', bound: '1..31 bytes', outcome: 'unknown' }),
      ),
    }).finish();
    const ended = rich.ErrorInfo.encode({
      reason: 'LEASE_EXPIRED',
      domain: 'spread-sidecar',
      metadata: new Map([['last_sequence', '18446744073709551615']]),
    }).finish();
    const retry = rich.RetryInfo.encode({ retryDelay: { seconds: 1n, nanos: 5 } }).finish();
    const status = (details: ReturnType<typeof any>[]) =>
      Buffer.from(rich.RichStatus.encode({ code: 3, message: 'no', details }).finish());
    const seeds = [
      status([any('ErrorInfo', info)]),
      status([any('ErrorInfo', ended), any('RetryInfo', retry)]),
      status([any('RetryInfo', retry)]),
      status([any('Help', Buffer.from('?'))]),
    ].map((trailer, at) => [Buffer.from([[3, 10, 14, 2][at]!]), Buffer.from('a sentence'), trailer]);
    return {
      material: {
        seeds,
        words: words(DETAILS, '__proto__', 'constructor'),
        maxPieces: 6,
        maxPieceBytes: 4096,
      },
      run: ([code = Buffer.alloc(0), sentence = Buffer.alloc(0), ...trailers]) => {
        const metadata = new Metadata();
        for (const trailer of trailers) metadata.add(DETAILS, trailer);
        const given = Object.assign(new Error('14 UNAVAILABLE'), {
          code: code.length > 1 ? code.readInt16BE(0) : (code[0] ?? 0),
          details: sentence.toString(),
          metadata,
        }) as ServiceError;
        for (const send of [false, true]) {
          const error = toSpreadError(given, { send });
          if (!(error instanceof SpreadError)) throw new Violation('it is no SpreadError');
          if (
            typeof error.reason !== 'string' ||
            typeof error.domain !== 'string' ||
            typeof error.message !== 'string'
          )
            throw new Violation('a part of the error is no text');
          if (error.retryDelayMs !== undefined && !Number.isFinite(error.retryDelayMs))
            throw new Violation(`the retry delay is ${error.retryDelayMs}`);
          if (send && error.outcome === undefined) throw new Violation('a failed send without an outcome');
          for (const value of Object.values(error.metadata))
            if (typeof value !== 'string') throw new Violation('a value of the metadata is no text');
          isTransportFailure(error);
          if (({} as Record<string, unknown>).polluted !== undefined)
            throw new Violation('a prototype was changed');
        }
        return trailers.length > 0 ? 'with details' : 'without';
      },
    };
  },
};
