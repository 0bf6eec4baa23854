/** Bytes of header, groups and payload in each of a message's 100 packets. */
export const PACKET = 1432;
const HEADER = 48;
export const NAME = 32;
/**
 * Maximum of payload size + 32 × groups. Unit: bytes. Intentionally not imported from server/src, because
 * tests check that number.
 */
export const MAX_BODY = 143_151;

/**
 * Payload sizes around the end of each of the `packets`, from 1, of a message to `groups` groups, and the
 * smallest and the largest size.
 */
export function boundarySizes(
  groups: number,
  packets: readonly number[] = Array.from({ length: 100 }, (_, k) => k + 1),
): number[] {
  const most = MAX_BODY - NAME * groups;
  const sizes = new Set([0, 1, most - 1, most]);
  for (const k of packets)
    for (const offset of [-1, 0, 1]) sizes.add(k * PACKET - HEADER - NAME * groups + offset);
  return [...sizes].filter((size) => size >= 0 && size <= most).sort((a, b) => a - b);
}

/** `count` groups, of which only the last one, `room`, has a member. */
export const groupsWithMember = (count: number): string[] => [
  ...Array.from({ length: count - 1 }, (_, i) => `empty${i}`),
  'room',
];
