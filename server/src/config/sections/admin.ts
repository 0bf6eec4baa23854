import { tcpAddress } from '../values/addresses.js';
import { boolean, orEmpty, token, wordOr } from '../values/words.js';
import { option, path, type Section } from './section.js';

export const admin = {
  title: 'Admin port and token',
  text: 'Metrics and health over HTTP, gRPC health, and pages for operators.',
  options: {
    listen: option({
      type: wordOr(['off'], tcpAddress),
      default: '127.0.0.1:4814',
      why: 'Only this machine or pod can connect. Kubernetes probes and Prometheus connect to the address of the pod: set 0.0.0.0:4814 in a pod.',
      text: 'Address of the HTTP server for /metrics, /livez, /readyz, /startupz and gRPC health; off: no server.',
    }),
    token: option({
      type: orEmpty(token),
      default: '',
      why: 'No token exists until the operator creates one. Until then the sidecar rejects ListMailboxes.',
      text: 'Admin token that ListMailboxes requires as `authorization: Bearer <token>`.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'As for admin.token.',
      text: 'File of admin tokens, one for each line. The sidecar accepts each of them. Use it instead of admin.token. The sidecar reloads the file when it changes.',
    }),
    quitquitquit: option({
      type: boolean,
      default: 'false',
      why: 'A client that may send this request can stop the sidecar.',
      text: 'Serve `POST /quitquitquit` on admin.listen, which drains the sidecar and exits with code 0, for a Job whose work is done. Requests need the admin token if one is set. Otherwise the sidecar accepts only direct requests from this machine or pod, and warns at start. It then rejects requests that a proxy or service mesh forwarded.',
    }),
    failureInjection: option({
      type: boolean,
      default: 'false',
      why: 'Only for tests: a client that may send this request can close the connections of other clients.',
      text: 'Serve `POST /drop-mailbox?mailbox=…` on admin.listen, which closes the connection of a mailbox to its daemon as a failing daemon does. `mailbox` is an ID, display ID or private group. Access is as for admin.quitquitquit.',
    }),
  },
} satisfies Section;
