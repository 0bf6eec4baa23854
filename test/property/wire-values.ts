import fc from 'fast-check';
import {
  encodeMulticast,
  encodeSelfLeave,
  encodeTransition,
  encodeView,
  type ServiceTypeName,
  type ViewCause,
} from '../../server/src/spread/wire/index.js';

const LEGAL = Array.from({ length: 0x7e - 0x24 + 1 }, (_, i) => String.fromCharCode(0x24 + i));
export const legalName = (max: number) =>
  fc.string({ unit: fc.constantFrom(...LEGAL), minLength: 1, maxLength: max });
export const groupName = legalName(31);
export const privateGroup = fc
  .tuple(legalName(10), legalName(19))
  .map(([name, daemon]) => `#${name}#${daemon}`);
/** A possible value of a name field: any bytes except NUL. */
export const anyName = fc
  .uint8Array({ maxLength: 32 })
  .map((bytes) => Buffer.from(bytes.map((b) => b || 1)).toString('latin1'));
export const destination = fc.oneof(groupName, privateGroup);
export const payload = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
export const messageType = fc.integer({ min: -32_768, max: 32_767 });
export const service = fc.constantFrom<ServiceTypeName>(
  'UNRELIABLE',
  'RELIABLE',
  'FIFO',
  'CAUSAL',
  'AGREED',
  'SAFE',
);
export const groupId = fc.tuple(fc.nat(0xffffffff), fc.integer(), fc.integer()).map((words) => ({ words }));
export const bigEndian = fc.boolean();

export const multicast = fc.record({
  privateGroup,
  serviceType: service,
  selfDiscard: fc.boolean(),
  groups: fc.array(destination, { minLength: 1, maxLength: 43 }),
  messageType,
  payload,
});

export const view = fc
  .record({
    group: anyName,
    groupId,
    cause: fc.constantFrom<ViewCause>('JOIN', 'LEAVE', 'DISCONNECT', 'NETWORK'),
    members: fc.array(privateGroup, { maxLength: 20 }),
    vsSets: fc.array(fc.array(privateGroup, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
    own: fc.nat(),
  })
  .map(({ own, ...fields }) => ({ ...fields, ownSetIndex: own % fields.vsSets.length }));

/** Some frames of a daemon, as bytes. */
export const daemonStream = fc
  .array(
    fc.oneof(
      multicast.map((fields) => Buffer.concat(encodeMulticast(fields))),
      fc.tuple(view, bigEndian).map(([fields, big]) => encodeView(fields, { bigEndian: big })),
      fc.tuple(anyName, bigEndian).map(([group, big]) => encodeSelfLeave(group, { bigEndian: big })),
      fc
        .tuple(anyName, groupId, bigEndian)
        .map(([group, id, big]) => encodeTransition(group, id, { bigEndian: big })),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((frames) => Buffer.concat(frames));

export const cuts = (stream: Buffer) =>
  fc.array(fc.nat(stream.length), { maxLength: 60 }).map((places) => places.sort((a, b) => a - b));
