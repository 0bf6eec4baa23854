import { tcpAddress } from '../values/addresses.js';
import { boolean, orEmpty, token, wordOr } from '../values/words.js';
import { option, path, type Section } from './section.js';

export const admin = {
  title: 'Admin port and credential',
  text: 'Metrics and health over HTTP, gRPC health, and what only operators may call.',
  options: {
    listen: option({
      type: wordOr(['off'], tcpAddress),
      default: '127.0.0.1:4814',
      why: 'Safe anywhere. Kubernetes probes and Prometheus come to the pod address: set 0.0.0.0:4814 there.',
      text: 'Where /metrics, /livez, /readyz, /startupz and gRPC health are served; off: nowhere.',
    }),
    token: option({
      type: orEmpty(token),
      default: '',
      why: 'No credential exists until the operator makes one: ListMailboxes is refused.',
      text: 'The admin credential that ListMailboxes wants as `authorization: Bearer <token>`.',
      secret: true,
    }),
    tokenFile: option({
      type: orEmpty(path),
      default: '',
      why: 'As for admin.token.',
      text: 'A file of admin credentials, one a line; each of them is taken. Instead of admin.token. Read anew when it changes.',
    }),
    quitquitquit: option({
      type: boolean,
      default: 'false',
      why: 'Whoever may ask for it can end the sidecar.',
      text: 'Serve `POST /quitquitquit` on admin.listen, which drains the sidecar and ends it with exit code 0, for the Job whose work is done. Requests need the admin credential where there is one. Without one the sidecar accepts only direct requests from this machine or pod, none that a proxy or service mesh forwarded, and warns at start.',
    }),
    failureInjection: option({
      type: boolean,
      default: 'false',
      why: 'For tests alone: whoever may ask for it can cut the connections of others.',
      text: 'Serve `POST /drop-mailbox?mailbox=…` on admin.listen, which cuts the connection of a mailbox (by its id, display id or private group) to its daemon as if the daemon had. Who may ask is as for admin.quitquitquit.',
    }),
  },
} satisfies Section;
