import { describe, expect, it } from 'vitest';
import {
  type Leadership,
  nextLeadership,
} from '../../../../clients/typescript/src/blocks/leader-election.js';
import { GroupId } from '../../../../clients/typescript/src/group-id.js';
import {
  ConnectionLost,
  SelfLeaveMessage,
  type SpreadEvent,
  TransitionalMessage,
  ViewMessage,
} from '../../../../clients/typescript/src/messages.js';

const ID = new GroupId(1, 2, 3);
const NONE: Leadership = { leader: undefined, isLeader: false, groupId: undefined };

function view(group: string, ...members: string[]): ViewMessage {
  return new ViewMessage({
    group,
    groupId: ID,
    cause: 'JOIN',
    members,
    ownIndex: 0,
    changedMembers: [],
    sets: [],
  });
}

const leadershipAfter = (...events: SpreadEvent[]) =>
  events.reduce((now, event) => nextLeadership('g', '#a#n', now, event), NONE);

describe('the leader', () => {
  it('is the first member of the view', () => {
    expect(leadershipAfter(view('g', '#a#n', '#b#n'))).toEqual({
      leader: '#a#n',
      isLeader: true,
      groupId: ID,
    });
    expect(leadershipAfter(view('g', '#b#n', '#a#n'))).toEqual({
      leader: '#b#n',
      isLeader: false,
      groupId: ID,
    });
  });

  it('does not depend on other groups', () => {
    const leading = leadershipAfter(view('g', '#a#n'));
    for (const event of [view('h', '#b#n'), new TransitionalMessage('h', ID), new SelfLeaveMessage('h')])
      expect(nextLeadership('g', '#a#n', leading, event)).toBe(leading);
  });

  it.each([
    new TransitionalMessage('g', ID),
    new SelfLeaveMessage('g'),
    new ConnectionLost('#a#n', ['g'], -8),
  ])('is uncertain after $kind', (event) => {
    expect(leadershipAfter(view('g', '#a#n'), event)).toEqual(NONE);
  });
});
