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
      why: "Only this machine or pod can connect. In a pod, set 0.0.0.0:4814, because Kubernetes probes and Prometheus connect to the pod's address.",
      text: 'Address of the admin port, which serves /metrics, /livez, /readyz, /startupz, the JSON pages and gRPC health. With off, there is no admin port.',
    }),
    token: option({
      type: orEmpty(token),
      default: '',
      why: 'No token exists until the operator creates one. Without an admin token, the sidecar rejects ListMailboxes.',
      text: 'Admin token, sent as `authorization: Bearer <token>`. ListMailboxes always needs this token. The JSON pages of the admin port need the token if it is set.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'The reason is the same as for admin.token.',
      text: 'File of admin tokens, with one token on each line. The sidecar accepts every token of the file. Set only one of admin.tokenFile and admin.token. The sidecar reloads the file after a change.',
    }),
    quitquitquit: option({
      type: boolean,
      default: 'false',
      why: 'A client that may send this request can stop the sidecar.',
      text: 'Serve `POST /quitquitquit` on admin.listen. This request drains the sidecar and ends its process with exit code 0, for example after the work of a Kubernetes Job. Requests need the admin token if one is set. Without an admin token, the sidecar logs a warning at start and accepts only requests from this machine or pod. The sidecar then also rejects requests that a proxy or service mesh forwarded.',
    }),
    failureInjection: option({
      type: boolean,
      default: 'false',
      why: 'Only for tests: a client that may send this request can close the connections of other clients.',
      text: 'Serve `POST /drop-mailbox?mailbox=…` on admin.listen. This request closes the daemon connection of a mailbox, as if the daemon had failed. The value of `mailbox` is a mailbox ID, display ID or private group. The access rules are those of admin.quitquitquit.',
    }),
  },
} satisfies Section;
