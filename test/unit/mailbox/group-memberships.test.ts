import { beforeEach, describe, expect, it } from 'vitest';
import { GroupMemberships } from '../../../server/src/mailbox/group-memberships.js';
import { rejected, selfLeave, transitional, view } from '../../support/mailboxes/plain-events.js';

const ME = '#me#test';
const OTHER = '#other#test';

/** A waiter that records its result. */
function waiter(): { answer: unknown; resolve(answer: unknown): void; reject(error: Error): void } {
  return {
    answer: 'nothing',
    resolve(answer) {
      this.answer = answer;
    },
    reject(error) {
      this.answer = error;
    },
  };
}

const VIEW_NOT_COMING = expect.objectContaining({ reason: 'VIEW_NOT_COMING' });

describe('GroupMemberships', () => {
  let groups: GroupMemberships;
  beforeEach(() => {
    groups = new GroupMemberships(ME, true);
  });

  function join(name: string) {
    groups.joining(name);
    const waiting = waiter();
    const stop = groups.awaitView(name, waiting);
    return Object.assign(waiting, { stop });
  }

  function leave(name: string) {
    groups.leaving(name);
    const waiting = waiter();
    const stop = groups.awaitSelfLeave(name, waiting);
    return Object.assign(waiting, { stop });
  }

  it('lists groups in the order of joining; a group that was left and joined again is last', () => {
    for (const name of ['b', 'a', 'c']) groups.joining(name);
    expect(groups.names).toEqual(['b', 'a', 'c']);
    groups.leaving('b');
    expect(groups.names).toEqual(['a', 'c']);
    groups.joining('b');
    groups.joining('a');
    expect(groups.names).toEqual(['a', 'c', 'b']);
  });

  it('completes a join with the view that shows the own join', () => {
    const waiting = join('room');
    const joined = view('room', 'JOIN', [ME, OTHER], [ME]);
    groups.observe(joined);
    expect(waiting.answer).toBe(joined);
  });

  it('completes a join with a NETWORK view that contains this mailbox', () => {
    const waiting = join('room');
    const network = view('room', 'NETWORK', [ME, OTHER], [OTHER]);
    groups.observe(network);
    expect(waiting.answer).toBe(network);
  });

  it.each([
    ['of another group', view('hall', 'JOIN', [ME], [ME])],
    ["of somebody else's join", view('room', 'JOIN', [ME, OTHER], [OTHER])],
    ["of somebody's leave", view('room', 'LEAVE', [ME], [OTHER])],
    ['without this mailbox', view('room', 'NETWORK', [OTHER], [])],
  ])('does not complete a join with a view %s', (_what, other) => {
    const waiting = join('room');
    groups.observe(other);
    expect(waiting.answer).toBe('nothing');
  });

  it('completes all calls that wait for the same join, and later ones immediately', () => {
    const first = join('room');
    const second = join('room');
    const joined = view('room', 'JOIN', [ME], [ME]);
    groups.observe(joined);
    expect([first.answer, second.answer]).toEqual([joined, joined]);
    const now = view('room', 'JOIN', [ME, OTHER], [OTHER]);
    groups.observe(now);
    expect(join('room').answer).toBe(now);
  });

  it('completes no call that was cancelled', () => {
    const waiting = join('room');
    waiting.stop();
    groups.observe(view('room', 'JOIN', [ME], [ME]));
    expect(waiting.answer).toBe('nothing');
  });

  it('completes a leave with the self-leave, and immediately when the mailbox is not in the group', () => {
    expect(leave('room').answer).toBeUndefined();
    join('room');
    groups.observe(view('room', 'JOIN', [ME], [ME]));
    const waiting = leave('room');
    expect(waiting.answer).toBe('nothing');
    groups.observe(selfLeave('room'));
    expect(waiting.answer).toEqual(selfLeave('room'));
    expect(leave('room').answer).toBeUndefined();
  });

  it('completes two leaves with the same self-leave', () => {
    join('room');
    groups.observe(view('room', 'JOIN', [ME], [ME]));
    const first = leave('room');
    const second = leave('room');
    groups.observe(selfLeave('room'));
    expect([first.answer, second.answer]).toEqual([selfLeave('room'), selfLeave('room')]);
  });

  it('completes join, leave and join again with separate results', () => {
    const first = join('room');
    const left = leave('room');
    const second = join('room');
    const one = view('room', 'JOIN', [ME], [ME]);
    groups.observe(one);
    expect([first.answer, left.answer, second.answer]).toEqual([one, 'nothing', 'nothing']);
    // A view of the membership that is about to end, which does not complete the second join.
    groups.observe(view('room', 'NETWORK', [ME, OTHER], []));
    expect(second.answer).toBe('nothing');
    groups.observe(selfLeave('room'));
    expect([left.answer, second.answer]).toEqual([selfLeave('room'), 'nothing']);
    const two = view('room', 'JOIN', [ME, OTHER], [ME]);
    groups.observe(two);
    expect(second.answer).toBe(two);
  });

  it('fails a join whose leave came first', () => {
    const joining = join('room');
    const leaving = leave('room');
    groups.observe(selfLeave('room'));
    expect(joining.answer).toEqual(VIEW_NOT_COMING);
    expect(leaving.answer).toEqual(selfLeave('room'));
  });

  it('fails a join that the daemon rejected, and is not in the group', () => {
    const waiting = join('room');
    groups.observe(rejected('JOIN', 'room', ME));
    expect(waiting.answer).toEqual(VIEW_NOT_COMING);
    expect(groups.names).toEqual([]);
  });

  it('completes a leave after a rejected join, which the daemon ignores', () => {
    join('room');
    const leaving = leave('room');
    const again = join('room');
    groups.observe(rejected('JOIN', 'room', ME));
    expect(leaving.answer).toBeUndefined();
    expect(again.answer).toBe('nothing');
    const joined = view('room', 'JOIN', [ME], [ME]);
    groups.observe(joined);
    expect(again.answer).toBe(joined);
    expect(groups.names).toEqual(['room']);
  });

  it('stays in a group whose leave the daemon rejected, and completes a later join', () => {
    join('room');
    const joined = view('room', 'JOIN', [ME], [ME]);
    groups.observe(joined);
    const leaving = leave('room');
    groups.observe(rejected('LEAVE', 'room', ME));
    expect(leaving.answer).toEqual(VIEW_NOT_COMING);
    expect(groups.names).toEqual(['room']);
    const second = leave('room');
    const again = join('room');
    groups.observe(rejected('LEAVE', 'room', ME));
    expect(second.answer).toEqual(VIEW_NOT_COMING);
    expect(again.answer).toBe(joined);
  });

  it('ignores a rejected message', () => {
    const waiting = join('room');
    groups.observe(rejected('MESSAGE', 'room', ME));
    expect(waiting.answer).toBe('nothing');
    expect(groups.names).toEqual(['room']);
  });

  it('knows the last view and whether it is about to change', () => {
    join('room');
    expect(() => groups.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
    const joined = view('room', 'JOIN', [ME], [ME]);
    groups.observe(joined);
    expect(groups.view('room')).toEqual({ view: joined, inTransition: false });
    groups.observe(transitional('room'));
    expect(groups.view('room')).toEqual({ view: joined, inTransition: true });
    const network = view('room', 'NETWORK', [ME], []);
    groups.observe(network);
    expect(groups.view('room')).toEqual({ view: network, inTransition: false });
    leave('room');
    expect(() => groups.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
    groups.observe(selfLeave('room'));
    expect(() => groups.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
    expect(() => groups.view('a group')).toThrow(expect.objectContaining({ code: 'ILLEGAL_GROUP' }));
  });

  it('fails all waiting calls when it ends', () => {
    const joining = join('room');
    const leaving = leave('room');
    groups.end(() => new Error('over'));
    expect([joining.answer, leaving.answer]).toEqual([new Error('over'), new Error('over')]);
    expect(groups.names).toEqual([]);
  });

  it('without membership uses the requested groups', () => {
    const blind = new GroupMemberships(ME, false);
    blind.joining('room');
    blind.joining('hall');
    blind.leaving('room');
    blind.joining('attic');
    blind.observe(rejected('JOIN', 'attic', ME));
    expect(blind.names).toEqual(['hall']);
    expect(() => blind.view('hall')).toThrow(expect.objectContaining({ reason: 'MEMBERSHIP_OFF' }));
  });
});
