/** Spread's return codes by name, including those of its flush library. */
export const SpreadCode = Object.freeze({
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
});

/** Name of a Spread code that means a failure. */
export type SpreadCodeName = Exclude<keyof typeof SpreadCode, 'ACCEPT_SESSION'>;

const nameByNumber: ReadonlyMap<number, SpreadCodeName> = new Map(
  Object.entries(SpreadCode)
    .filter(([name]) => name !== 'ACCEPT_SESSION')
    .map(([name, number]) => [number, name as SpreadCodeName]),
);

/** Name of the error code `number`. Undefined when Spread has no such error. */
export function spreadCodeName(number: number): SpreadCodeName | undefined {
  return nameByNumber.get(number);
}
