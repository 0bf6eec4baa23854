import type { Message } from '../../server/src/spread/wire/index.js';
import { buildFrame, buildViewData } from '../support/wire/frame-builder.js';

const SERVICE = { UNRELIABLE: 1, RELIABLE: 2, FIFO: 4, CAUSAL: 8, AGREED: 16, SAFE: 32 } as const;
const CAUSE = { JOIN: 0x100, LEAVE: 0x200, DISCONNECT: 0x400, NETWORK: 0x800 } as const;

/**
 * The frame that a little-endian daemon sends for `message`. A correctly decoded message can be encoded again byte
 * for byte.
 */
export function rebuildMessage(message: Message): Buffer {
  switch (message.kind) {
    case 'regular': {
      const base = SERVICE[message.serviceType] | (message.selfDiscard ? 0x40 : 0);
      if ((message.rawType & 0x7f) !== base) throw new Error('rawType and serviceType disagree');
      return buildFrame({
        type: message.rawType,
        privateGroup: message.sender,
        groups: message.groups,
        messageType: message.messageType,
        bigEndianHint: message.endianMismatch,
        data: message.payload,
      });
    }
    case 'view':
      return buildFrame({
        type: 0x1000 | CAUSE[message.cause],
        privateGroup: message.group,
        groups: message.members,
        data: buildViewData({
          groupId: message.groupId.words,
          vsSets: message.vsSets,
          ownSetIndex: message.ownSetIndex,
        }),
      });
    case 'transitional': {
      const data = Buffer.alloc(12);
      message.groupId.words.forEach((word, i) => void data.writeInt32LE(word | 0, 4 * i));
      return buildFrame({ type: 0x2000, privateGroup: message.group, data });
    }
    case 'selfLeave':
      return buildFrame({ type: 0x200, privateGroup: message.group });
    case 'rejected':
      return buildFrame({
        type: 0x400000 | (message.selfDiscard ? 0x40 : 0),
        privateGroup: message.sender,
        oldType: message.rawOldType,
        groups: [...message.groups, message.sender],
        messageType: message.messageType,
        bigEndianHint: message.endianMismatch,
        data: message.payload,
      });
  }
}
