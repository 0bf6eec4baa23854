import { describe, expect, it } from 'vitest';
import { GroupTable } from '../../../server/src/daemon/group-table.js';

const member = (privateGroup: string) => ({ privateGroup });
const a = member('#a#d');
const b = member('#b#d');
const capital = member('#B#d');

describe('GroupTable', () => {
  it('creates one view for each join, with members in byte order', () => {
    const table = new GroupTable();
    expect(table.join('g', b)).toEqual({ group: 'g', cause: 'JOIN', changed: b, members: [b], index: 1 });
    expect(table.join('g', a)?.members).toEqual([a, b]);
    expect(table.join('g', capital)).toMatchObject({ members: [capital, a, b], index: 3 });
    expect(table.memberships).toBe(3);
    expect(table.groups).toBe(1);
  });

  it('creates no view for a join or a leave without effect', () => {
    const table = new GroupTable();
    table.join('g', a);
    expect(table.join('g', a)).toBeUndefined();
    expect(table.leave('g', b)).toBeUndefined();
    expect(table.leave('other', a)).toBeUndefined();
    expect(table.memberships).toBe(1);
  });

  it('names the member that left, and removes empty groups', () => {
    const table = new GroupTable();
    table.join('g', a);
    table.join('g', b);
    expect(table.leave('g', a)).toEqual({ group: 'g', cause: 'LEAVE', changed: a, members: [b], index: 3 });
    expect(table.leave('g', b)).toMatchObject({ members: [], index: 4 });
    expect(table.members('g')).toBeUndefined();
    expect(table.groups).toBe(0);
    expect(table.join('g', b)?.index).toBe(1);
  });

  it('removes a member from all its groups, in byte order of their names', () => {
    const table = new GroupTable();
    for (const group of ['zeta', '\xff', 'Mid', '', 'alpha']) {
      table.join(group, a);
      table.join(group, b);
    }
    const changes = table.disconnect(a);
    expect(changes.map(({ group }) => group)).toEqual(['', 'Mid', 'alpha', 'zeta', '\xff']);
    for (const change of changes)
      expect(change).toMatchObject({ cause: 'DISCONNECT', changed: a, members: [b], index: 3 });
    expect(table.membershipsOf(a)).toBe(0);
    expect(table.membershipsOf(b)).toBe(5);
    expect(table.disconnect(a)).toEqual([]);
  });
});
