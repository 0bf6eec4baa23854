import { Daemons } from './daemons.js';
import type { KubernetesNode } from './node.js';

/** Prints a line of a check's result. */
export type Print = (line: string) => void;

/** A check on a real cluster. It removes the objects that it creates, and throws to report a failure. */
export interface Check {
  readonly name: string;
  readonly text: string;
  readonly needsSpread: boolean;
  /** Names of the networks of the clusters on which the check runs. Default: ipv4. */
  readonly networks?: readonly string[];
  readonly run: (node: KubernetesNode, print: Print) => Promise<void>;
}

export const WITH_IPV4 = ['ipv4', 'dual', 'dual-ipv6'];
export const ALL_NETWORKS = [...WITH_IPV4, 'ipv6'];

/** A ring of daemons for one check. */
export async function withDaemons(
  node: KubernetesNode,
  name: string,
  replicas: number,
  use: (daemons: Daemons) => Promise<void>,
): Promise<void> {
  const daemons = new Daemons(node, name, replicas);
  try {
    daemons.install();
    await daemons.complete(Date.now());
    await use(daemons);
  } finally {
    daemons.release.uninstall();
  }
}
