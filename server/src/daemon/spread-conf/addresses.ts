import { BlockList, isIP, SocketAddress } from 'node:net';
import { shown, type Token } from './lexer.js';

/** An address at which a daemon listens. */
export interface DaemonInterface {
  readonly address: string;
  readonly forClients: boolean;
  readonly forDaemons: boolean;
}

/** The addresses that must be unique in a file. */
interface DaemonAddress {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly line: number;
}

type Report = (line: number, message: string) => void;

const MULTICAST = new BlockList();
MULTICAST.addSubnet('224.0.0.0', 4, 'ipv4');
MULTICAST.addSubnet('ff00::', 8, 'ipv6');

const familyOf = (address: string): 'ipv4' | 'ipv6' | undefined =>
  ({ 0: undefined, 4: 'ipv4', 6: 'ipv6' })[isIP(address)] as 'ipv4' | 'ipv6' | undefined;

/** The canonical form of each address, without the interface of an IPv6 address. Names are unchanged. */
function canonical(address: string): string {
  const bare = address.replace(/%.*$/, '');
  const family = familyOf(bare);
  return family ? new SocketAddress({ address: bare, family }).address : address;
}

const isUnspecified = (address: string): boolean => ['0.0.0.0', '::'].includes(canonical(address));

/**
 * The conditions of Spread 5.0.1 for the addresses of a spread.conf. Names that only DNS can resolve are not
 * checked.
 */
export class AddressRules {
  #version: 'ipv4' | 'ipv6' | undefined;

  constructor(private readonly report: Report) {}

  /** ActiveIPVersion, or the family of the first daemon: the same for the whole file. */
  setVersion(value: Token): void {
    const { text, line } = value;
    const version = { IPv4: 'ipv4', IPv6: 'ipv6' }[text] as 'ipv4' | 'ipv6' | undefined;
    if (!version) this.report(line, `ActiveIPVersion needs IPv4 or IPv6, not ${shown(value)}`);
    else if (this.#version && this.#version !== version)
      this.report(line, `ActiveIPVersion is ${text}, but an earlier address is ${spoken(this.#version)}`);
    else this.#version = version;
  }

  /** `address` is an IP address, or the host name of a daemon without one. */
  checkDaemon(address: string, line: number): void {
    const family = familyOf(address);
    if (!family) {
      if (!/^[\w.:%-]+$/.test(address))
        this.report(
          line,
          address.endsWith(';')
            ? `the daemon '${address}' has no address, and its name ends with a semicolon; put a space before the semicolon`
            : `the daemon '${address}' has no address, and its name is not a host name`,
        );
      return;
    }
    this.#version ??= family;
    if (isUnspecified(address)) this.report(line, `a daemon's address must not be ${address}`);
    else if (MULTICAST.check(canonical(address), family))
      this.report(line, `a daemon's address must not be the multicast address ${address}`);
    this.#checkFamily(address, line);
  }

  /** Called at the end of a segment. `isFirst` while the file has no daemon. */
  checkSegment(address: string, line: number, isFirst: boolean): void {
    if (isFirst && !this.#version)
      this.report(line, 'the first segment is empty; add a daemon, or set ActiveIPVersion before it');
    if (isUnspecified(address)) this.report(line, `a segment's address must not be ${address}`);
    this.#checkFamily(address, line);
  }

  /** Called when the ports of a segment's daemons are known. */
  checkUnique(daemon: DaemonAddress, daemons: readonly DaemonAddress[]): void {
    const address = canonical(daemon.address);
    const other = daemons
      .slice(0, daemons.indexOf(daemon))
      .find((one) => canonical(one.address) === address && one.port === daemon.port);
    if (other)
      this.report(
        daemon.line,
        `daemon '${daemon.name}' and daemon '${other.name}' have the same address ${daemon.address} and port ${daemon.port}`,
      );
  }

  /** Daemons communicate over the daemon's own address, so an interface must be for it. */
  checkInterfaces(name: string, address: string, interfaces: readonly DaemonInterface[], line: number): void {
    const own = canonical(address);
    if (!familyOf(address) || interfaces.length === 0) return;
    const fits = (at: string) =>
      canonical(at) === own || (isUnspecified(at) && familyOf(at) === familyOf(address));
    if (!interfaces.some((one) => one.forDaemons && fits(one.address)))
      this.report(
        line,
        `the interfaces of daemon '${name}' must include D ${address}, the address of the daemon`,
      );
  }

  #checkFamily(address: string, line: number): void {
    const family = familyOf(address);
    if (this.#version && family && family !== this.#version)
      this.report(
        line,
        `the address ${address} is ${spoken(family)}, but the file uses ${spoken(this.#version)}`,
      );
  }
}

const spoken = (family: 'ipv4' | 'ipv6'): string => (family === 'ipv4' ? 'IPv4' : 'IPv6');
