import { duration } from '../values/numbers.js';
import { option, type Section } from './section.js';

export const drain = {
  title: 'Shutdown',
  text: 'Graceful shutdown at SIGTERM and SIGINT.',
  options: {
    delay: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '0s',
      why: 'Kubernetes stops a native sidecar only after the application has ended.',
      text: 'Time that the sidecar continues to serve clients between SIGTERM and the drain. Set a delay in pods whose containers all get SIGTERM at the same time. The delay ends early if there is no mailbox and no client connection for one second.',
      flag: 'shutdown-delay',
    }),
    grace: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '10s',
      why: 'Well below the 30 s that Kubernetes gives a pod.',
      text: 'Longest time that Receive streams get to deliver queued events after the shutdown delay. The streams then end with reason DRAINING.',
    }),
  },
} satisfies Section;
