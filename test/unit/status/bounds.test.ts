import { describe, expect, it } from 'vitest';
import type { InspectedMailbox } from '../../../server/src/mailbox/registry/statistics.js';
import { EventRecorder } from '../../../server/src/status/event-recorder.js';
import { groupsPage } from '../../../server/src/status/groups-page.js';
import { mailboxesPage } from '../../../server/src/status/mailboxes-page.js';
import { fieldsOf, schemaMistakes } from '../../support/docs/status-page.js';

const QUEUE = { maxEvents: 10, maxBytes: 1000, replayBytes: 0, overflow: 'PAUSE' } as const;
const members = Array.from({ length: 500 }, (_, at) => `#member${at}#node`);

/** A leaving mailbox in 300 groups; the first one has 500 members. */
const MAILBOX: InspectedMailbox = {
  isLeaving: true,
  mailbox: {
    ageMs: 1000,
    owner: 'client:billing',
    daemon: '4803',
    snapshot: () => ({
      privateGroup: '#a#node',
      state: 'ENDED',
      daemon: '4803',
      daemonVersion: { major: 5, minor: 0, patch: 1 },
      membership: true,
      acknowledgement: 'AUTO',
      limits: {
        leaseMs: 30_000,
        queue: QUEUE,
        maxGroupsPerMessage: 43,
        maxMessageBytes: 1,
        maxGroups: 1000,
        maxSendQueueBytes: 1,
      },
      groups: Array.from({ length: 300 }, (_, at) => `g${at}`),
      openedAtMs: 0,
      receiverAttached: false,
      lastSequence: 50,
      deliveredSequence: 0,
      acknowledgedSequence: 0,
      waitingEvents: 7,
      waitingBytes: 70,
      retainedBytes: 0,
      messagesSent: 5,
      payloadBytesSent: 0,
      sendQueueBytes: 0,
      paused: false,
      leaseEndsAtMs: 1000,
      displayId: 'm1',
      loadEvents: 7,
      loadBytes: 70,
      softLimitEndsAtMs: undefined,
    }),
    *memberships() {
      const cause = 'NETWORK';
      const groupId = { words: [1, 2, 3] } as const;
      const view = { kind: 'view', group: 'g0', groupId, cause, members, changed: members } as const;
      yield { group: 'g0', view: { ...view, vsSets: [], ownSetIndex: 0 }, viewedAtMs: 1000 };
      yield { group: 'g1', view: undefined, viewedAtMs: 0 };
    },
  },
};

describe('the bounds of rows', () => {
  it('list 100 groups of a mailbox, and their number', async () => {
    const page = await mailboxesPage(() => [MAILBOX])(new URLSearchParams('filter=billing'));
    const body = fieldsOf<{ mailboxes: { groups: string[] }[] }>(page);
    const [row] = body.mailboxes;
    expect(row).toMatchObject({
      state: 'LEAVING',
      groupCount: 300,
      queue: { events: 7, maxEvents: 10 },
      received: { events: 50, perSecond: 50 },
      sent: { messages: 5, perSecond: 5 },
      lease: { durationMs: 30_000, endsAt: '1970-01-01T00:00:01.000Z' },
    });
    expect(row!.groups).toHaveLength(100);
    expect(schemaMistakes('Mailboxes', { schema: 1, ...body })).toEqual([]);
  });

  it('list 100 members of a group and of its last change, and their number', async () => {
    const page = await groupsPage(() => [MAILBOX])(new URLSearchParams());
    const body = fieldsOf<{ groups: Record<string, unknown>[] }>(page);
    const [known, unknown] = body.groups;
    expect(known).toMatchObject({ memberCount: 500, lastChange: { changedCount: 500, groupId: [1, 2, 3] } });
    expect(known!.members).toHaveLength(100);
    expect((known!.lastChange as { changed: string[] }).changed).toHaveLength(100);
    expect(unknown).toMatchObject({ group: 'g1', memberCount: null, members: [], lastChange: null });
    expect(schemaMistakes('Groups', { schema: 1, ...body })).toEqual([]);
  });

  it('show the queue of a slow consumer and its limits', () => {
    const recorder = new EventRecorder();
    recorder.mailbox?.slowConsumer?.(
      { displayId: 'm1', privateGroup: '#a#node', daemon: '4803' },
      { queuedEvents: 8, queuedBytes: 80, limits: QUEUE, mark: { events: 8, bytes: 800 }, timeLeftMs: 1 },
    );
    const events = recorder.events.after(0);
    expect(events).toMatchObject([{ kind: 'slow-consumer', queuedEvents: 8, maxEvents: 10, maxBytes: 1000 }]);
    expect(schemaMistakes('Events', { schema: 1, startedAt: '', lastSequence: 1, events })).toEqual([]);
  });
});

describe('the check of the documented fields', () => {
  it('finds fields that are unknown, missing or of another type', () => {
    const event = { sequence: '1', at: '', secret: 'x' };
    expect(schemaMistakes('Events', { schema: 1, startedAt: '', lastSequence: 1, events: [event] })).toEqual([
      'events[].sequence is string, not number',
      'events[].secret is not documented',
      'events[].kind is missing',
    ]);
  });
});
