// Tags of the fields that the server encodes and the client decodes without the generated code. A tag is the field number << 3 | the
// wire type (0 = varint, 2 = length-delimited).

// ReceiveResponse
export const TAG_BATCH = (2 << 3) | 2;

// EventBatch
export const TAG_EVENTS = (1 << 3) | 2;

// Event
export const TAG_SEQUENCE = 1 << 3;
export const TAG_RECEIVED_AT = (2 << 3) | 2;
export const TAG_REGULAR_MESSAGE = (3 << 3) | 2;

// Timestamp
export const TAG_SECONDS = 1 << 3;
export const TAG_NANOS = 2 << 3;

// RegularMessage
export const TAG_SENDER = (1 << 3) | 2;
export const TAG_GROUPS = (2 << 3) | 2;
export const TAG_SERVICE_TYPE = 3 << 3;
export const TAG_MESSAGE_TYPE = 4 << 3;
export const TAG_PAYLOAD = (5 << 3) | 2;
export const TAG_ENDIAN_MISMATCH = 6 << 3;
export const TAG_SELF_DISCARD = 7 << 3;
export const TAG_SPREAD_TYPE = 8 << 3;
export const TAG_HEADERS = (9 << 3) | 2;

// MulticastStreamRequest
export const TAG_MULTICAST_BATCH = (2 << 3) | 2;

// MulticastBatch
export const TAG_MULTICAST_MESSAGES = (1 << 3) | 2;
export const TAG_MULTICAST_RESPOND = 2 << 3;

// MulticastMessage
export const TAG_MULTICAST_SERVICE_TYPE = 1 << 3;
export const TAG_MULTICAST_GROUPS = (2 << 3) | 2;
export const TAG_MULTICAST_PAYLOAD = (3 << 3) | 2;
export const TAG_MULTICAST_MESSAGE_TYPE = 4 << 3;
export const TAG_MULTICAST_SELF_DISCARD = 5 << 3;
export const TAG_MULTICAST_HEADERS = (6 << 3) | 2;

// An entry of a map<string, string>
export const TAG_ENTRY_KEY = (1 << 3) | 2;
export const TAG_ENTRY_VALUE = (2 << 3) | 2;
