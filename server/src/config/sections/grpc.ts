import { listenAddress } from '../values/addresses.js';
import { byteSize, duration, fileMode } from '../values/numbers.js';
import { boolean, groupName, listOf, orEmpty, token } from '../values/words.js';
import { autoCount, option, path, type Section } from './section.js';

export const grpc = {
  title: 'gRPC',
  text: 'The mailbox service, health and reflection.',
  options: {
    listen: option({
      type: listOf(listenAddress, { min: 1, max: 16 }),
      default: '127.0.0.1:4813',
      why: 'The application is on the same machine or in the same pod. Other machines cannot connect.',
      text: 'Addresses on which the gRPC server listens.',
    }),
    socketMode: option({
      type: fileMode({ min: '0600', max: '0777' }),
      default: '0660',
      why: 'User and group may connect: containers of a pod share a group more often than a user.',
      text: 'Permission bits of the Unix sockets in grpc.listen.',
    }),
    socketGroup: option({
      type: orEmpty(groupName),
      default: '',
      why: "The group of the sidecar's own process.",
      text: 'Group of the Unix sockets in grpc.listen, by name or number. The sidecar must be a member of it, or root.',
    }),
    tlsCert: option({
      type: orEmpty(path),
      default: '',
      why: 'Loopback and Unix sockets need no TLS.',
      text: 'Certificate chain of the server, in PEM. With it, every TCP address of grpc.listen uses TLS 1.2 or 1.3. The sidecar reloads the file when it changes.',
    }),
    tlsKey: option({
      type: orEmpty(path),
      default: '',
      why: 'The file of the certificate may contain the key too.',
      text: 'Private key of grpc.tlsCert, in PEM; empty: the key is in the same file. The sidecar reloads the file when it changes.',
    }),
    tlsClientCa: option({
      type: orEmpty(path),
      default: '',
      why: 'Without it, clients need no certificate.',
      text: 'Certificate authorities of clients, in PEM. With it, every TLS client must present a certificate of one of them. A mailbox then belongs to the issuer, subject and alternative names of that certificate. The sidecar reloads the file when it changes.',
    }),
    tokens: option({
      type: listOf(token, { min: 0, max: 64 }),
      default: '',
      why: 'Clients need no token until the operator creates one.',
      text: 'Client tokens. With them, every call except health must have one as `authorization: Bearer <token>`, on every address. A mailbox then belongs to the token that opened it.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'As for grpc.tokens.',
      text: 'File of client tokens, one for each line, optionally after a name. Tokens with the same name are one client. Use it instead of grpc.tokens. The sidecar reloads the file when it changes.',
    }),
    reloadInterval: option({
      type: duration({ min: '50ms', max: '1h' }),
      default: '5s',
      why: 'Kubernetes itself takes a minute to update a mounted Secret.',
      text: 'Interval at which the sidecar checks the files of certificates and tokens for changes, including admin.tokenFile.',
    }),
    insecure: option({
      type: boolean,
      default: 'false',
      why: 'On such an address, a machine that can read the network traffic can read and send everything.',
      text: 'Allow TCP addresses in grpc.listen that other machines can reach without TLS, for example behind a service mesh that provides it.',
      flag: 'insecure',
    }),
    reflection: option({
      type: boolean,
      default: 'true',
      why: 'grpcurl and similar tools work without proto files. The contract is public.',
      text: 'Serve gRPC server reflection (v1 and v1alpha).',
    }),
    maxReceiveMessageBytes: option({
      type: byteSize({ min: '256KiB', max: '64MiB' }),
      default: '4MiB',
      why: "gRPC's own default. The largest Spread message needs 140 KiB. The rest is room for batches of MulticastStream, which the TypeScript client fills up to 1 MiB and one message.",
      text: 'Largest size of one gRPC message from a client. A larger message gets RESOURCE_EXHAUSTED.',
    }),
    maxConcurrentStreams: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'Half of limits.maxCalls, at most 4096: one connection cannot take the calls of all others.',
      text: 'Largest number of open calls on one client connection. Further calls wait in the client. A new connection starts with 100. Where tokens are required, it starts with 16 until one of its calls has a token. The number grows with use.',
    }),
  },
} satisfies Section;
