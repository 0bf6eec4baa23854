/** A client library for Spread: one connection to a daemon, its addresses and its errors. Knows nothing of gRPC. */
export * from './address.js';
export * from './auth.js';
export * from './error-table.js';
export { netSocketFactory, SEND_HIGH_WATER_MARK, type SocketFactory } from './open-connection.js';
export * from './session.js';
export * from './session-options.js';
export * from './spread-error.js';
