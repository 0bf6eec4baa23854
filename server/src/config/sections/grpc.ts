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
      why: 'Processes of the same user or group can connect. Containers of a pod share a group more often than a user.',
      text: 'Permission bits of the Unix sockets in grpc.listen.',
    }),
    socketGroup: option({
      type: orEmpty(groupName),
      default: '',
      why: "The sockets get the group of the sidecar's process.",
      text: 'Group of the Unix sockets in grpc.listen, by name or number. The sidecar must run as root or as a member of this group.',
    }),
    tlsCert: option({
      type: orEmpty(path),
      default: '',
      why: 'Loopback and Unix sockets need no TLS.',
      text: 'PEM file with the certificate chain of the sidecar. If set, every TCP address of grpc.listen uses TLS 1.2 or 1.3. The sidecar reloads the file after a change.',
    }),
    tlsKey: option({
      type: orEmpty(path),
      default: '',
      why: 'One file can contain both the certificate and its key.',
      text: 'PEM file with the private key of grpc.tlsCert. If empty, the file of grpc.tlsCert must also contain the key. The sidecar reloads the file after a change.',
    }),
    tlsClientCa: option({
      type: orEmpty(path),
      default: '',
      why: 'Clients need no certificate.',
      text: 'PEM file with certificate authorities. If set, every TLS client must present a certificate from one of these authorities. A mailbox then belongs to the issuer, subject and alternative names of that certificate. The sidecar reloads the file after a change.',
    }),
    tokens: option({
      type: listOf(token, { min: 0, max: 64 }),
      default: '',
      why: 'Clients need no token until the operator creates one.',
      text: 'Client tokens. If set, every call on every address must send one of them as `authorization: Bearer <token>`. Only health calls need no token. A mailbox then belongs to the token that opened it.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'The reason is the same as for grpc.tokens.',
      text: 'File of client tokens. Each line has one token, optionally after a name and a space. Tokens with the same name belong to one client. Set only one of grpc.tokenFile and grpc.tokens. The sidecar reloads the file after a change.',
    }),
    reloadInterval: option({
      type: duration({ min: '50ms', max: '1h' }),
      default: '5s',
      why: 'Short compared to the minute that Kubernetes needs to update a mounted Secret.',
      text: 'Interval at which the sidecar checks its certificate and token files for changes, including admin.tokenFile.',
    }),
    insecure: option({
      type: boolean,
      default: 'false',
      why: 'Without TLS, every machine that can read the network traffic can read all messages and tokens, and act as a client.',
      text: 'Allow other machines to reach TCP addresses of grpc.listen without TLS, for example if a service mesh provides TLS.',
      flag: 'insecure',
    }),
    reflection: option({
      type: boolean,
      default: 'true',
      why: 'grpcurl and similar tools then need no proto files. Reflection reveals no secrets, because the contract is public.',
      text: 'Serve gRPC server reflection (v1 and v1alpha).',
    }),
    maxReceiveMessageBytes: option({
      type: byteSize({ min: '256KiB', max: '64MiB' }),
      default: '4MiB',
      why: 'The default of gRPC. The largest Spread message needs 140 KiB. The rest is for batches of MulticastStream. By default, the TypeScript client adds messages to a batch until the batch has 1 MiB.',
      text: 'Largest size of one gRPC message from a client. A larger message gets RESOURCE_EXHAUSTED, reason REQUEST_TOO_LARGE.',
    }),
    maxConcurrentStreams: option({
      type: autoCount('16', '1000000'),
      default: 'auto',
      why: 'One connection cannot use up the calls of all clients.',
      text: 'Largest number of open calls on one client connection. Further calls wait in the client. A connection starts with a smaller limit: 100, or 16 before it sends a required token. When a connection uses more than half of its limit, the sidecar doubles the limit, up to this option. With auto, the number is half of the number that auto gives limits.maxCalls, at most 4096.',
    }),
  },
} satisfies Section;
