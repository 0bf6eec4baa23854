import { duration } from '../values/numbers.js';
import { option, type Section } from './section.js';

export const drain = {
  title: 'Shutdown',
  text: 'What happens at SIGTERM and SIGINT.',
  options: {
    delay: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '0s',
      why: 'A native sidecar of Kubernetes is told to stop only after the application.',
      text: 'How long the sidecar goes on to serve before it drains, for pods whose containers are all told to stop at once. Over early, when there has been no mailbox and no client connection for a second.',
      flag: 'shutdown-delay',
    }),
    grace: option({
      type: duration({ min: '0s', max: '1h' }),
      default: '10s',
      why: 'Well inside the 30 s that Kubernetes gives a pod.',
      text: 'How long Receive streams get what is queued before they are ended with reason DRAINING.',
    }),
  },
} satisfies Section;
