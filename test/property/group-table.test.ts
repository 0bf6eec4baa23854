import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupTable, type ViewChange } from '../../server/src/daemon/group-table.js';

type Member = { readonly privateGroup: string };
type Step = {
  readonly what: 'join' | 'leave' | 'disconnect';
  readonly member: number;
  readonly group: string;
};

const members: Member[] = ['#a#d', '#B#d', '#ab#d', '#a$#d', '#zz#d'].map((privateGroup) => ({
  privateGroup,
}));
const groups = ['', 'g', 'G', 'gg', '\x01', '\xff'];

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('join', 'join', 'leave', 'disconnect'),
    member: fc.nat({ max: members.length - 1 }),
    group: fc.constantFrom(...groups),
  }),
  { maxLength: 200, size: 'max' },
);

/** A simple model of the table: sets, and comparison of bytes. */
class Model {
  readonly #members = new Map<string, Set<Member>>();
  readonly #index = new Map<string, number>();

  apply({ what, member: i, group }: Step): Omit<ViewChange<Member>, 'changed'>[] {
    const member = members[i]!;
    if (what === 'disconnect')
      return bytesSorted(
        [...this.#members.keys()].filter((name) => this.#members.get(name)!.has(member)),
      ).map((name) => this.#remove(name, member, 'DISCONNECT'));
    const isMember = this.#members.get(group)?.has(member) ?? false;
    if (isMember === (what === 'join')) return [];
    if (what === 'leave') return [this.#remove(group, member, 'LEAVE')];
    this.#members.set(group, (this.#members.get(group) ?? new Set()).add(member));
    return [this.#view(group, 'JOIN')];
  }

  #remove(group: string, member: Member, cause: 'LEAVE' | 'DISCONNECT') {
    this.#members.get(group)!.delete(member);
    const view = this.#view(group, cause);
    if (view.members.length === 0) {
      this.#members.delete(group);
      this.#index.delete(group);
    }
    return view;
  }

  #view(group: string, cause: ViewChange<Member>['cause']) {
    const index = (this.#index.get(group) ?? 0) + 1;
    this.#index.set(group, index);
    const names = bytesSorted([...this.#members.get(group)!].map(({ privateGroup }) => privateGroup));
    return {
      group,
      cause,
      index,
      members: names.map((name) => members.find((m) => m.privateGroup === name)!),
    };
  }
}

const bytesSorted = (names: string[]) =>
  names.sort((a, b) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')));

describe('GroupTable', () => {
  it('agrees with a simple model', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const table = new GroupTable<Member>();
        const model = new Model();
        for (const step of todo) {
          const member = members[step.member]!;
          const got =
            step.what === 'disconnect'
              ? table.disconnect(member)
              : [
                  step.what === 'join' ? table.join(step.group, member) : table.leave(step.group, member),
                ].flatMap((change) => change ?? []);
          for (const change of got) expect(change.changed).toBe(member);
          expect(got.map(({ changed: _, ...view }) => view)).toEqual(model.apply(step));
        }
      }),
      { numRuns: 300 },
    );
  });
});
