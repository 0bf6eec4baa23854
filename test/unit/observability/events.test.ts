import { describe, expect, it } from 'vitest';
import type { MethodInfo } from '../../../server/src/grpc/calls/methods.js';
import { createEvents } from '../../../server/src/observability/index.js';

const method: MethodInfo = { service: 's', method: 'm', type: 'unary' };

describe('createEvents', () => {
  it('without subscribers accepts all events', () => {
    const events = createEvents();
    events.mailbox.opened(
      { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' },
      { peer: '', identity: 'tcp' },
    );
    events.grpc.callFinished(method, 0, 0.1);
    events.daemon.down(undefined);
    events.embedded.event({ kind: 'client-abandoned', transport: 'tcp', message: '' });
  });

  it('notifies each subscriber of its events, in order, within the call', () => {
    const reported: string[] = [];
    const events = createEvents([
      { daemon: { up: (daemon) => reported.push(`first ${daemon}`) } },
      {
        daemon: {
          up: (daemon, version) => reported.push(`second ${daemon} ${version}`),
          down: () => reported.push('down'),
        },
      },
    ]);
    events.daemon.up('4803', '5.0.1');
    events.daemon.down(undefined);
    events.grpc.callStarted(method);
    expect(reported).toEqual(['first 4803', 'second 4803 5.0.1', 'down']);
  });

  it('subscribers that are objects of a class keep their this', () => {
    class Counter {
      count = 0;
      callStarted(): void {
        this.count++;
      }
    }
    const counter = new Counter();
    const events = createEvents([{ grpc: counter }]);
    const { callStarted } = events.grpc;
    callStarted(method);
    expect(counter.count).toBe(1);
  });
});
