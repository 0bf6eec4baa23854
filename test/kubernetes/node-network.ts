import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClusterNetwork, isIpv6 } from './network.js';

const FORWARDING = { ipv4: '/proc/sys/net/ipv4/ip_forward', ipv6: '/proc/sys/net/ipv6/conf/all/forwarding' };
const CHAIN = 'KUBE-FIREWALL';

const exec = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const attempt = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const firewall = (address: string) => (isIpv6(address) ? 'ip6tables' : 'iptables');

/** Network namespaces of pods, including those of other clusters. */
const podNamespaces = () =>
  spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith('cni-'));

/**
 * The changes of a node to the network of this machine: addresses on the loopback interface (so that the node uses
 * no port of the machine), forwarding between pods, and their namespaces. `remove()` reverts all changes.
 */
export class NodeNetwork {
  readonly #foreign = podNamespaces();
  readonly #hadFirewall = attempt('iptables', '--wait', '--list', CHAIN, '-n');
  readonly #addresses: readonly string[];
  readonly #forwarding: string[];
  readonly #before: Record<string, string> = {};

  constructor(private readonly network: ClusterNetwork) {
    this.#addresses = [...network.node, network.dns];
    this.#forwarding = network.node.map((address) => (isIpv6(address) ? FORWARDING.ipv6 : FORWARDING.ipv4));
  }

  /** Throws before any change if another cluster runs on this machine. */
  checkFree(): void {
    const used = exec('ip', 'addr', 'show', 'dev', 'lo');
    const address = this.#addresses.find((one) => used.includes(` ${one}/`));
    if (address)
      throw new Error(
        `${address} is in use on this machine: stop the other \`npm run cluster\`, or remove the address`,
      );
  }

  create(): void {
    for (const address of this.#addresses)
      exec('ip', 'addr', 'add', `${address}/${isIpv6(address) ? 128 : 32}`, 'dev', 'lo');
    for (const file of this.#forwarding) {
      this.#before[file] = readFileSync(file, 'utf8');
      writeFileSync(file, '1');
    }
    // The Docker engine drops packets that match none of its rules.
    for (const [command, rule] of this.#rules()) exec(command, '--wait', '--insert', 'FORWARD', ...rule);
  }

  remove(): void {
    if (!this.#hadFirewall) removeFirewall();
    for (const [command, rule] of this.#rules()) attempt(command, '--wait', '--delete', 'FORWARD', ...rule);
    for (const [file, value] of Object.entries(this.#before)) writeFileSync(file, value);
    for (const address of this.#addresses)
      attempt('ip', 'addr', 'del', `${address}/${isIpv6(address) ? 128 : 32}`, 'dev', 'lo');
  }

  /** Namespaces of pods whose network was not removed when they ended. */
  removePodNamespaces(): void {
    for (const name of podNamespaces().filter((one) => !this.#foreign.includes(one)))
      attempt('ip', 'netns', 'del', name);
  }

  #rules(): [string, string[]][] {
    return this.network.pods.flatMap((range) =>
      ['--source', '--destination'].map((side): [string, string[]] => [
        firewall(range),
        [side, range, '--jump', 'ACCEPT'],
      ]),
    );
  }
}

/** kube-proxy does not remove one of its chains. */
function removeFirewall(): void {
  for (const command of ['iptables', 'ip6tables'])
    for (const rule of [
      ['--delete', 'INPUT', '--jump', CHAIN],
      ['--delete', 'OUTPUT', '--jump', CHAIN],
      ['--flush', CHAIN],
      ['--delete-chain', CHAIN],
    ])
      attempt(command, '--wait', ...rule);
}
