import { readWord, withoutMarker } from './byte-order.js';
import {
  CAUSE_MASK,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  GROUP_ID_SIZE,
  JOIN_MESS,
  LEAVE_MESS,
  MAX_GROUP_NAME,
  MEMBERSHIP_MESS,
  OLD_TYPE_SIZE,
  REG_MEMB_MESS,
  REGULAR_MESS,
  REJECT_MESS,
  SELF_DISCARD,
  serviceOfBits,
  TRANSITION_MESS,
} from './constants.js';
import type { Frame } from './frame-decoder.js';
import type {
  Message,
  RegularMessage,
  RejectedMessage,
  SelfLeaveMessage,
  TransitionalMessage,
  ViewMessage,
} from './message-types.js';
import { readNames } from './names.js';
import { readGroupId } from './views/group-id.js';
import { decodeView } from './views/view-decoder.js';
import { WireError } from './wire-error.js';

/**
 * Decodes a frame from a daemon. `payload` is a view of the frame's body.
 *  A frame with a service bit is a regular message, whatever other bits it has: real membership messages have no
 * service bit, and a daemon forwards forged membership bits of any client (transcript 58-extra-type-bits). Throws
 * WireError ILLEGAL_MESSAGE for a frame that no daemon sends. Nothing is read or allocated beyond the body.
 */
export function decodeMessage(frame: Frame): Message {
  const { type } = frame.header;
  if ((type & REJECT_MESS) !== 0) return decodeRejected(frame);
  if ((type & REGULAR_MESS) !== 0) return decodeRegular(frame);
  if ((type & MEMBERSHIP_MESS) !== 0) return decodeMembership(frame);
  throw new WireError(
    'ILLEGAL_MESSAGE',
    'type',
    `type ${hex(type)} is neither a message, a view nor a reject`,
  );
}

function decodeRegular(frame: Frame): RegularMessage {
  const { header, buffer, start, end } = frame;
  const { type, numGroups } = header;
  const serviceType = serviceOfBits(type & REGULAR_MESS);
  if (serviceType === undefined) {
    throw new WireError(
      'ILLEGAL_MESSAGE',
      'type',
      `type ${hex(type)} has several service bits`,
      'one service bit',
    );
  }
  return {
    kind: 'regular',
    sender: header.privateGroup,
    groups: readNames(buffer, start, numGroups),
    serviceType,
    selfDiscard: (type & SELF_DISCARD) !== 0,
    rawType: type,
    messageType: header.messageType,
    endianMismatch: header.endianMismatch,
    payload: buffer.subarray(start + MAX_GROUP_NAME * numGroups, end),
  };
}

/** view: REG_MEMB and one cause. transition: TRANSITION. self-leave: CAUSED_BY_LEAVE alone. */
function decodeMembership(frame: Frame): ViewMessage | TransitionalMessage | SelfLeaveMessage {
  const { header, body } = frame;
  const group = header.privateGroup;
  switch (header.type & MEMBERSHIP_MESS & ~CAUSE_MASK) {
    case REG_MEMB_MESS:
      return decodeView(frame);
    case TRANSITION_MESS: {
      const start = MAX_GROUP_NAME * header.numGroups;
      if (body.length - start < GROUP_ID_SIZE) {
        throw new WireError(
          'ILLEGAL_MESSAGE',
          'data_len',
          `a transition has ${body.length - start} data bytes; its group id needs ${GROUP_ID_SIZE}`,
          `${GROUP_ID_SIZE}`,
        );
      }
      return { kind: 'transitional', group, groupId: readGroupId(body, start, header.littleEndian) };
    }
    case 0:
      if ((header.type & CAUSE_MASK) === CAUSED_BY_LEAVE) return { kind: 'selfLeave', group };
  }
  throw new WireError(
    'ILLEGAL_MESSAGE',
    'type',
    `type ${hex(header.type)} is not a known membership message`,
  );
}

/** header, old type (4, the daemon's order), groups with the sender as the last one, data. */
function decodeRejected(frame: Frame): RejectedMessage {
  const { header, body } = frame;
  if (header.numGroups < 1) {
    throw new WireError(
      'ILLEGAL_MESSAGE',
      'num_groups',
      'a rejected message names no groups; its last group must be the sender',
      '1..',
    );
  }
  const oldType = withoutMarker(readWord(body, 0, header.littleEndian));
  const groups = readNames(body, OLD_TYPE_SIZE, header.numGroups - 1);
  const common = {
    kind: 'rejected',
    sender: header.privateGroup,
    groups,
    selfDiscard: (oldType & SELF_DISCARD) !== 0,
    messageType: header.messageType,
    endianMismatch: header.endianMismatch,
    payload: body.subarray(OLD_TYPE_SIZE + MAX_GROUP_NAME * header.numGroups),
    rawOldType: oldType,
  } as const;
  const serviceType = serviceOfBits(oldType & REGULAR_MESS);
  if (serviceType !== undefined) return { ...common, refused: 'MESSAGE', serviceType };
  if ((oldType & (CAUSED_BY_JOIN | JOIN_MESS)) !== 0) return { ...common, refused: 'JOIN' };
  if ((oldType & (CAUSED_BY_LEAVE | LEAVE_MESS)) !== 0) return { ...common, refused: 'LEAVE' };
  throw new WireError(
    'ILLEGAL_MESSAGE',
    'old type',
    `a reject of type ${hex(oldType)}: no request has this type`,
  );
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
