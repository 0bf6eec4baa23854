/** Spread's client protocol as functions of bytes, without sockets, timers and imports from higher layers. */

export * from './byte-order.js';
export * from './codes.js';
export * from './constants.js';
export * from './frame-decoder.js';
export * from './grammar.js';
export * from './handshake/auth-exchange.js';
export * from './handshake/connect-request.js';
export * from './handshake/session-answer.js';
export * from './header.js';
export * from './message-types.js';
export * from './messages.js';
export * from './multicast-encoder.js';
export * from './names.js';
export * from './requests.js';
export * from './views/group-id.js';
export * from './views/views.js';
export * from './wire-error.js';
