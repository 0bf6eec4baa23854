import * as spread from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';

// The values of Spread 5.0.1's header. A changed value would break every program that prints, stores or
// compares it.
const header: Record<string, number> = {
  LOW_PRIORITY: 0,
  MEDIUM_PRIORITY: 1,
  HIGH_PRIORITY: 2,
  DEFAULT_SPREAD_PORT: 4803,
  SPREAD_VERSION: (5 << 24) | (0 << 16) | 0,
  MAX_GROUP_NAME: 32,
  MAX_PRIVATE_NAME: 10,
  MAX_PROC_NAME: 20,
  MAX_CLIENT_SCATTER_ELEMENTS: 100,
  UNRELIABLE_MESS: 0x1,
  RELIABLE_MESS: 0x2,
  FIFO_MESS: 0x4,
  CAUSAL_MESS: 0x8,
  AGREED_MESS: 0x10,
  SAFE_MESS: 0x20,
  REGULAR_MESS: 0x3f,
  SELF_DISCARD: 0x40,
  DROP_RECV: 0x01000000,
  REG_MEMB_MESS: 0x1000,
  TRANSITION_MESS: 0x2000,
  CAUSED_BY_JOIN: 0x100,
  CAUSED_BY_LEAVE: 0x200,
  CAUSED_BY_DISCONNECT: 0x400,
  CAUSED_BY_NETWORK: 0x800,
  MEMBERSHIP_MESS: 0x3f00,
  ENDIAN_RESERVED: 0x80000080,
  RESERVED: 0x003fc000,
  REJECT_MESS: 0x00400000,
  ACCEPT_SESSION: 1,
  ILLEGAL_SPREAD: -1,
  COULD_NOT_CONNECT: -2,
  REJECT_QUOTA: -3,
  REJECT_NO_NAME: -4,
  REJECT_ILLEGAL_NAME: -5,
  REJECT_NOT_UNIQUE: -6,
  REJECT_VERSION: -7,
  CONNECTION_CLOSED: -8,
  REJECT_AUTH: -9,
  ILLEGAL_SESSION: -11,
  ILLEGAL_SERVICE: -12,
  ILLEGAL_MESSAGE: -13,
  ILLEGAL_GROUP: -14,
  BUFFER_TOO_SHORT: -15,
  GROUPS_TOO_SHORT: -16,
  MESSAGE_TOO_LONG: -17,
  NET_ERROR_ON_SESSION: -18,
  SP_BUG: -19,
  ILLEGAL_TIME: -20,
  ILLEGAL_PARAM: -24,
  WOULD_BLOCK: -25,
  ILLEGAL_MESSAGE_TYPE: -26,
  ILLEGAL_STATE: -27,
  ILLEGAL_RECEIVERS: -28,
};

describe("constants of Spread's C API", () => {
  it.each(Object.entries(header))('%s is %d', (name, value) => {
    expect((spread as Record<string, unknown>)[name]).toBe(value);
  });

  it('names each error number', () => {
    for (const [name, value] of Object.entries(spread.SPREAD_ERRORS)) {
      expect(value).toBe(header[name]);
      expect(spread.spreadErrorName(value)).toBe(name);
      expect(spread.isSpreadErrorCode(name)).toBe(true);
    }
    expect(Object.keys(spread.SPREAD_ERRORS).sort()).toEqual(
      Object.keys(header)
        .filter((name) => (header[name] as number) < 0)
        .sort(),
    );
    expect(spread.spreadErrorName(-10)).toBeUndefined();
    expect(spread.isSpreadErrorCode('toString')).toBe(false);
  });

  it('has the constants that the Python wrapper adds', () => {
    expect(spread.DEFAULT_BUFFER_SIZE).toBe(143_119);
    expect(spread.DEFAULT_GROUPS_SIZE).toBe(100);
  });
});

describe('predicates of a service type word', () => {
  const view = spread.REG_MEMB_MESS;
  it.each([
    [spread.UNRELIABLE_MESS, ['isUnreliableMess', 'isRegularMess']],
    [spread.RELIABLE_MESS, ['isReliableMess', 'isRegularMess']],
    [spread.FIFO_MESS, ['isFifoMess', 'isRegularMess']],
    [spread.CAUSAL_MESS, ['isCausalMess', 'isRegularMess']],
    [spread.AGREED_MESS, ['isAgreedMess', 'isRegularMess']],
    [spread.SAFE_MESS | spread.SELF_DISCARD, ['isSafeMess', 'isRegularMess', 'isSelfDiscard']],
    [view | spread.CAUSED_BY_JOIN, ['isRegMembMess', 'isCausedJoinMess', 'isMembershipMess']],
    [view | spread.CAUSED_BY_LEAVE, ['isRegMembMess', 'isCausedLeaveMess', 'isMembershipMess']],
    [view | spread.CAUSED_BY_DISCONNECT, ['isRegMembMess', 'isCausedDisconnectMess', 'isMembershipMess']],
    [view | spread.CAUSED_BY_NETWORK, ['isRegMembMess', 'isCausedNetworkMess', 'isMembershipMess']],
    [spread.TRANSITION_MESS, ['isTransitionMess', 'isMembershipMess']],
    [spread.CAUSED_BY_LEAVE, ['isCausedLeaveMess', 'isMembershipMess', 'isSelfLeave']],
    [spread.SAFE_MESS | spread.REJECT_MESS, ['isSafeMess', 'isRejectMess']],
    [spread.CAUSED_BY_JOIN | spread.REJECT_MESS, ['isCausedJoinMess', 'isRejectMess']],
  ])('0x%x is %j', (type, expected) => {
    const predicates = Object.entries(spread).filter(([name]) => /^is(?!Spread)/.test(name));
    expect(predicates).toHaveLength(17);
    const true_ = predicates
      .filter(([, is]) => (is as (type: number) => boolean)(type))
      .map(([name]) => name);
    expect(true_.sort()).toEqual([...expected].sort());
  });
});
