import { isDeepStrictEqual } from 'node:util';
import { MailboxServiceService } from 'spread-sidecar-proto';
import { Malformed, refuseMalformed } from '../../../server/src/grpc/codec/malformed.js';
import { type Target, Violation } from '../engine/target.js';
import { REQUEST_SEEDS, RPCS } from './request-seeds.js';

const DEFINITION = refuseMalformed(MailboxServiceService);

/** The bytes of each call's request, decoded like the server. The first byte chooses the call. */
export const requests: Target = {
  name: 'requests',
  text: 'protobuf bodies of the requests of all 13 calls: decoded, or Malformed',
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: REQUEST_SEEDS.map(({ rpc, bytes }) => [Buffer.from([RPCS.indexOf(rpc)]), bytes]),
      words: [],
      maxPieces: 3,
      maxPieceBytes: 4096,
    },
    run: ([first = Buffer.alloc(0), ...rest]) => {
      const rpc = RPCS[(first[0] ?? 0) % RPCS.length]!;
      const { requestDeserialize, requestSerialize } = DEFINITION[rpc] as unknown as {
        requestDeserialize(bytes: Buffer): object;
        requestSerialize(message: object): Buffer;
      };
      const message = requestDeserialize(Buffer.concat(rest));
      if (message instanceof Malformed) return `${rpc} malformed`;
      if (!isDeepStrictEqual(requestDeserialize(requestSerialize(message)), message))
        throw new Violation(`${rpc}: what was read is not what its own bytes mean`);
      return `${rpc} read`;
    },
  }),
};
