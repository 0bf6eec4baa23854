/** Fields whose option in this client is not just the camelCase form of the name in the contract. */
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

/** Replaces the name of the field in a message of the sidecar with the name of the option. */
export function withOptionName(sentence: string, field: string | undefined): string {
  if (field === undefined || !sentence.startsWith(`${field} `)) return sentence;
  return optionOf(field) + sentence.slice(field.length);
}
