import { autoSize, option, type Section } from './section.js';

export const memory = {
  title: 'Memory',
  text: 'One limit for the memory of the whole process. From this limit, the sidecar derives the value of every limit with the default `auto`. The log line `memory` at the start shows these values. [limits.md](limits.md#memory) has the shares and measurements.',
  options: {
    limit: option({
      type: autoSize('64MiB', '1024GiB'),
      default: 'auto',
      why: 'The rest of the memory is room for the kernel, for other processes and for peaks.',
      text: 'Resident memory that the process should not exceed. The sidecar therefore limits the memory that clients and daemons can make it use: for queues, buffers, calls, connections and mailboxes. With auto, the limit is four fifths of the memory limit of the container. If the container has no limit, the limit is half of the memory of the machine, at most 4GiB.',
    }),
  },
} satisfies Section;
