import { ServiceType } from 'spread-sidecar-proto';
import { type BadInput, BadInputs } from './bad-input.js';

/** Rows about the messages of Multicast and MulticastStream. */
export const messageInputs = new BadInputs();
const refuse = messageInputs.refuse;

refuse(
  'multicast',
  'FIELD_REQUIRED',
  { says: ['message is required'], field: 'message' },
  {
    'no message': ({ id }) => ({ mailboxId: id }),
  },
);
const headers = (count: number) =>
  new Map(Array.from({ length: count }, (_, i) => [`name-${i}`, 'value'] as const));
const groups = (count: number) => Array.from({ length: count }, (_, i) => `g${i}`);
for (const rpc of ['multicast', 'multicastStream'] as const) {
  const message =
    (fields: object): BadInput['request'] =>
    ({ id }) => {
      const whole = {
        serviceType: ServiceType.AGREED,
        groups: ['chat'],
        payload: Buffer.from('x'),
        ...fields,
      };
      return rpc === 'multicast' ? { mailboxId: id, message: whole } : whole;
    };
  refuse(
    rpc,
    'ILLEGAL_SERVICE',
    { says: ['service_type', 'UNRELIABLE, RELIABLE, FIFO, CAUSAL, AGREED, SAFE'], field: 'service_type' },
    {
      'no service': message({ serviceType: 0 }),
      'service 7': message({ serviceType: 7 }),
      'service -1': message({ serviceType: -1 }),
      "service 16, which is Spread's own bit for AGREED": message({ serviceType: 16 }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups', '1 to 43'], field: 'groups' },
    {
      'no group': message({ groups: [] }),
      '44 groups': message({ groups: groups(44) }),
      '10,000 groups': message({ groups: groups(10_000) }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups[1]', '1 to 31 bytes'], field: 'groups[1]' },
    {
      'an empty group among others': message({ groups: ['chat', ''] }),
      'a group of 32 characters among others': message({ groups: ['chat', 'x'.repeat(32)] }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups[0]', "0x24 '$' to 0x7e '~'"], field: 'groups[0]' },
    {
      'a group with a NUL': message({ groups: ['a\0b'] }),
      'a group with a byte above 0x7f': message({ groups: ['z\u00fcrich'] }),
      'a group beyond Latin-1': message({ groups: ['東京'] }),
      'half a private group': message({ groups: ['#alice'] }),
      'a private group of three parts': message({ groups: ['#alice#node1#x'] }),
      'a private group whose name is too long': message({ groups: ['#alice678901#node1'] }),
      'a private group beyond Latin-1': message({ groups: ['#名#node1'] }),
    },
  );
  refuse(
    rpc,
    'HEADER_NAME_INVALID',
    { says: ['header name', '1 to 64 characters of a-z 0-9 - _ .'] },
    {
      'an empty header name': message({ headers: new Map([['', 'value']]) }),
      'a header name with an upper-case letter': message({ headers: new Map([['Content-Type', 'x']]) }),
      'a header name with a control character': message({ headers: new Map([['a\nb', 'value']]) }),
      'a header name beyond Latin-1': message({ headers: new Map([['名', 'value']]) }),
      'a header name of 65 characters': message({ headers: new Map([['n'.repeat(65), 'value']]) }),
      'a header name of 100,000 characters': message({ headers: new Map([['N'.repeat(100_000), '']]) }),
      'a bad header name among others': message({ headers: new Map([...headers(5), ['a b', 'value']]) }),
    },
  );
  refuse(
    rpc,
    'HEADERS_TOO_LARGE',
    { says: ['headers have', 'bytes', '0 to 8192 bytes'], field: 'headers' },
    {
      'one byte more than headers may have': message({ headers: new Map([['n', 'v'.repeat(8189)]]) }),
      'headers beyond the limit in UTF-8': message({ headers: new Map([['n', 'ü'.repeat(4095)]]) }),
      'very many headers': message({ headers: headers(2000) }),
    },
  );
  refuse(
    rpc,
    'MESSAGE_TOO_LONG',
    {
      says: ['payload has 143100 bytes', 'envelope of its headers has 20 bytes', '143099 bytes'],
      field: 'payload',
    },
    {
      'a payload that has no room for its headers': message({
        payload: Buffer.alloc(143_100),
        headers: new Map([['name', 'val']]),
      }),
    },
  );
  refuse(
    rpc,
    'MESSAGE_TOO_LONG',
    { says: ['payload', '143119 bytes'], field: 'payload' },
    {
      'one byte more than one group may get': message({ payload: Buffer.alloc(143_120) }),
      'a megabyte': message({ payload: Buffer.alloc(1_000_000) }),
    },
  );
  refuse(
    rpc,
    'MESSAGE_TOO_LONG',
    { says: ['payload', '141775 bytes'], field: 'payload' },
    {
      'one byte more than 43 groups may get': message({ groups: groups(43), payload: Buffer.alloc(141_776) }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_MESSAGE',
    { says: ['message_type', 'from -32768 to 32767'], field: 'message_type' },
    {
      'message_type 32768': message({ messageType: 32_768 }),
      'message_type -32769': message({ messageType: -32_769 }),
      'the largest int32': message({ messageType: 2_147_483_647 }),
    },
  );
}
refuse(
  'multicastStream',
  'FIELD_INVALID',
  { says: ['frame', 'open'], field: 'frame' },
  {
    'a batch first': { frames: [{ $case: 'batch', value: { messages: [] } }] },
    'open twice': ({ id }) => ({
      frames: [
        { $case: 'open', value: { mailboxId: id } },
        { $case: 'open', value: { mailboxId: id } },
      ],
    }),
  },
);
refuse(
  'multicastStream',
  'FIELD_REQUIRED',
  { says: ['frame is required'], field: 'frame' },
  {
    'a frame of nothing': { frames: [Buffer.alloc(0)] },
  },
);
refuse(
  'multicastStream',
  'FIELD_REQUIRED',
  { says: ['open is required'], field: 'open' },
  {
    'no frame': { frames: [] },
  },
);
