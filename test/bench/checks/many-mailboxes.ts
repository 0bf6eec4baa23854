import type { Mailbox, SpreadSidecar } from 'spread-sidecar-client';

/** Members of a group. A view lists all members and goes to each of them. */
const GROUP_SIZE = 50;
/** Number of concurrent Connect calls. */
const AT_ONCE = 50;

const groupOf = (i: number) => `g${Math.floor(i / GROUP_SIZE)}`;

/** The groups of `count` mailboxes. */
export const groupsOf = (count: number): readonly string[] => [
  ...new Set(Array.from({ length: count }, (_, i) => groupOf(i))),
];

/** Opens mailboxes, in turn on each client. Each of them has received the view of its own join. */
export async function openMailboxes(
  clients: readonly SpreadSidecar[],
  count: number,
): Promise<readonly Mailbox[]> {
  const open: Mailbox[] = [];
  let next = 0;
  const opener = async () => {
    while (next < count) {
      const i = next++;
      const mailbox = await clients[i % clients.length]!.connect({ privateName: `m${i}` });
      await mailbox.join(groupOf(i), { awaitView: true });
      open.push(mailbox);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  return open;
}
