import * as c from './constants.js';

/** The number of each of Spread's errors, all negative. */
export const SPREAD_ERRORS = Object.freeze({
  ILLEGAL_SPREAD: c.ILLEGAL_SPREAD,
  COULD_NOT_CONNECT: c.COULD_NOT_CONNECT,
  REJECT_QUOTA: c.REJECT_QUOTA,
  REJECT_NO_NAME: c.REJECT_NO_NAME,
  REJECT_ILLEGAL_NAME: c.REJECT_ILLEGAL_NAME,
  REJECT_NOT_UNIQUE: c.REJECT_NOT_UNIQUE,
  REJECT_VERSION: c.REJECT_VERSION,
  CONNECTION_CLOSED: c.CONNECTION_CLOSED,
  REJECT_AUTH: c.REJECT_AUTH,
  ILLEGAL_SESSION: c.ILLEGAL_SESSION,
  ILLEGAL_SERVICE: c.ILLEGAL_SERVICE,
  ILLEGAL_MESSAGE: c.ILLEGAL_MESSAGE,
  ILLEGAL_GROUP: c.ILLEGAL_GROUP,
  BUFFER_TOO_SHORT: c.BUFFER_TOO_SHORT,
  GROUPS_TOO_SHORT: c.GROUPS_TOO_SHORT,
  MESSAGE_TOO_LONG: c.MESSAGE_TOO_LONG,
  NET_ERROR_ON_SESSION: c.NET_ERROR_ON_SESSION,
  SP_BUG: c.SP_BUG,
  ILLEGAL_TIME: c.ILLEGAL_TIME,
  ILLEGAL_PARAM: c.ILLEGAL_PARAM,
  WOULD_BLOCK: c.WOULD_BLOCK,
  ILLEGAL_MESSAGE_TYPE: c.ILLEGAL_MESSAGE_TYPE,
  ILLEGAL_STATE: c.ILLEGAL_STATE,
  ILLEGAL_RECEIVERS: c.ILLEGAL_RECEIVERS,
});

/** The name of an error of Spread's C API. */
export type SpreadErrorCode = keyof typeof SPREAD_ERRORS;

const names = Object.keys(SPREAD_ERRORS) as SpreadErrorCode[];

/** The name that belongs to one of Spread's error numbers; undefined if there is none. */
export function spreadErrorName(number: number): SpreadErrorCode | undefined {
  return names.find((name) => SPREAD_ERRORS[name] === number);
}

/** Whether `name` is one of Spread's error names. */
export function isSpreadErrorCode(name: string): name is SpreadErrorCode {
  return Object.hasOwn(SPREAD_ERRORS, name);
}
