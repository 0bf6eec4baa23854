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
      why: 'The application beside it is on the same machine or in the same pod; nobody else is let in.',
      text: 'Where the gRPC server listens.',
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
      text: "The server's certificate and those that lead to its authority, in PEM. Then every TCP address of grpc.listen speaks TLS 1.2 or 1.3. Read anew when it changes.",
    }),
    tlsKey: option({
      type: orEmpty(path),
      default: '',
      why: 'The file of the certificate may hold the key too.',
      text: 'The private key of grpc.tlsCert, in PEM; none: it is in the same file. Read anew when it changes.',
    }),
    tlsClientCa: option({
      type: orEmpty(path),
      default: '',
      why: 'Without it, clients need no certificate.',
      text: 'Authorities of client certificates, in PEM. Then every TLS client must show a certificate of one of them, and a mailbox belongs to its subject and alternative names. Read anew when it changes.',
    }),
    tokens: option({
      type: listOf(token, { min: 0, max: 64 }),
      default: '',
      why: 'No client needs a token until the operator makes one.',
      text: 'Client tokens. Then every call but those of health, on every address, must bring one as `authorization: Bearer <token>`, and a mailbox belongs to the token that opened it.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'As for grpc.tokens.',
      text: 'A file of client tokens, one a line, each with a name before it if it has one: tokens of one name are one client. Instead of grpc.tokens. Read anew when it changes.',
    }),
    reloadInterval: option({
      type: duration({ min: '50ms', max: '1h' }),
      default: '5s',
      why: 'Kubernetes itself takes a minute to bring a changed secret.',
      text: 'How often the files of certificates and tokens, also admin.tokenFile, are looked at for a change.',
    }),
    insecure: option({
      type: boolean,
      default: 'false',
      why: 'Whoever can read the network could read and send everything.',
      text: 'Allow TCP addresses in grpc.listen that other machines can reach although there is no TLS, as behind a mesh that does it.',
      flag: 'insecure',
    }),
    reflection: option({
      type: boolean,
      default: 'true',
      why: 'grpcurl and the like work without proto files. The contract is public.',
      text: 'Serve gRPC server reflection (v1 and v1alpha).',
    }),
    maxReceiveMessageBytes: option({
      type: byteSize({ min: '256KiB', max: '64MiB' }),
      default: '4MiB',
      why: "gRPC's own default. The largest Spread message needs 140 KiB; the rest is room for MulticastStream batches, which the TypeScript client fills up to 1 MiB and one message.",
      text: 'Most bytes of one gRPC message that a client may send; more is answered with RESOURCE_EXHAUSTED.',
    }),
    maxConcurrentStreams: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'Half of limits.maxCalls, at most 4096: one connection cannot take the calls of all others.',
      text: 'Most calls that may be open at once on one client connection; further ones wait in the client. Where tokens are required, a connection may have 100 until one of its calls brings a token.',
    }),
  },
} satisfies Section;
