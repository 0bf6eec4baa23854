import { autoSize, option, type Section } from './section.js';

export const memory = {
  title: 'Memory',
  text: 'One number for the memory of the whole process. Every option with the default `auto` follows from it. The log line `memory` at the start shows the values. [limits.md](limits.md#memory) has the shares and measurements.',
  options: {
    limit: option({
      type: autoSize('64MiB', '1024GiB'),
      default: 'auto',
      why: 'Four fifths of the memory limit of the container. Without one, half of the memory of the machine, at most 4GiB.',
      text: 'Resident memory that the process plans to stay below. It limits the memory that clients and daemons can make the sidecar hold: queues, buffers, calls, connections and mailboxes.',
    }),
  },
} satisfies Section;
