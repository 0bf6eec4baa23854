import { duration } from '../values/numbers.js';
import { option, type Section } from './section.js';

export const drain = {
  title: 'Shutdown',
  text: 'Graceful shutdown at SIGTERM and SIGINT.',
  options: {
    delay: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '0s',
      why: 'Kubernetes stops a native sidecar only after the application.',
      text: 'Time that the sidecar continues to serve before it drains, for pods whose containers all stop at once. The delay ends early when there was no mailbox and no client connection for one second.',
      flag: 'shutdown-delay',
    }),
    grace: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '10s',
      why: 'Well below the 30 s that Kubernetes gives a pod.',
      text: 'Time that Receive streams get to deliver queued events. Then they end with reason DRAINING.',
    }),
  },
} satisfies Section;
