/** Fields whose option in this client is more than the camelCase form of the contract's name. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  daemon: 'spreadName',
  lease: 'leaseMs',
  heartbeat_interval: 'heartbeatIntervalMs',
  'reconnect.give_up_after': 'reconnect.giveUpAfterMs',
  'queue.soft_limit.time': 'queue.softLimit.timeMs',
  up_to_sequence: 'upTo',
};

/** The option of this client for a field of the contract: `privateName` for `private_name`. */
const optionOf = (field: string): string =>
  OPTION_NAMES[field] ?? field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A sentence of the sidecar about `field`, with the name that the caller's option has. */
export function inCallersTerms(sentence: string, field: string | undefined): string {
  if (field === undefined || !sentence.startsWith(`${field} `)) return sentence;
  return optionOf(field) + sentence.slice(field.length);
}
