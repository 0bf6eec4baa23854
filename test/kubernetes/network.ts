/** Addresses of a cluster, the primary family first. They do not overlap with other networks of the machine. */
export interface ClusterNetwork {
  readonly name: string;
  readonly text: string;
  readonly node: readonly string[];
  readonly dns: string;
  readonly pods: readonly string[];
  readonly services: readonly string[];
  /** Address of the API server's Service: the first of the primary range. */
  readonly apiService: string;
}

const IPV4 = {
  node: '10.250.0.1',
  dns: '10.250.0.10',
  pods: '10.251.0.0/22',
  services: '10.252.0.0/16',
  apiService: '10.252.0.1',
};
const IPV6: typeof IPV4 = {
  node: 'fd00:10:250::1',
  dns: 'fd00:10:250::10',
  pods: 'fd00:10:251::/64',
  services: 'fd00:10:252::/112',
  apiService: 'fd00:10:252::1',
};

function network(
  name: string,
  text: string,
  ...families: readonly [typeof IPV4, ...(typeof IPV4)[]]
): ClusterNetwork {
  const [primary] = families;
  const each = (key: 'node' | 'pods' | 'services') => families.map((family) => family[key]);
  return { ...primary, name, text, node: each('node'), pods: each('pods'), services: each('services') };
}

export const NETWORKS: readonly ClusterNetwork[] = [
  network('ipv4', 'IPv4 only', IPV4),
  network('ipv6', 'IPv6 only', IPV6),
  network('dual', 'dual stack, IPv4 first', IPV4, IPV6),
  network('dual-ipv6', 'dual stack, IPv6 first', IPV6, IPV4),
];

export const isIpv6 = (address: string) => address.includes(':');
/** An address in the form for a URL or before a port. */
export const bracketed = (address: string) => (isIpv6(address) ? `[${address}]` : address);
