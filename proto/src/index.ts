export * from './field-tags.js';
export * from './gen/google/protobuf/any.js';
export * from './gen/google/protobuf/duration.js';
export * from './gen/google/protobuf/timestamp.js';
export * from './gen/spread/sidecar/internal/v1/rich_status.js';
export * from './gen/spread/sidecar/v1/event.js';
export * from './gen/spread/sidecar/v1/mailbox_service.js';
export * from './gen/spread/sidecar/v1/types.js';

/** The protobuf package of the contract. */
export const PROTOBUF_PACKAGE = 'spread.sidecar.v1';
