import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Open files besides connections: an idle sidecar had 24, and the rest is for short reads. */
const OTHER_FILES = 40;
/** Number of connections that are always allowed. */
const LEAST_CONNECTIONS = 8;

/**
 * Limits the connections of several listeners together, below the process's limit of open files. Above that limit,
 * the runtime closes connections without an event or an error.
 */
export class ConnectionBudget {
  #accepted = 0;

  /**
   * @param most - limit of connections
   * @param others - connections that this process has opened itself, which count too
   */
  constructor(
    readonly most: number,
    private readonly others: () => number = () => 0,
  ) {}

  /** Counts a connection until it closes. False: the connection is one too many, so destroy it. */
  admit(socket: Socket): boolean {
    if (this.#accepted + this.others() >= this.most) return false;
    this.#accepted++;
    socket.once('close', () => this.#accepted--);
    return true;
  }
}

/** Largest number of connections that the process can have beside its other files. */
export function mostConnections(openFiles: number): number {
  return Math.max(LEAST_CONNECTIONS, openFiles - OTHER_FILES);
}

/** The process's limit of open files. Infinity if no limit is known. */
export function openFilesLimit(): number {
  return Number(linuxLimit() ?? reportedLimit() ?? Number.POSITIVE_INFINITY) || Number.POSITIVE_INFINITY;
}

function linuxLimit(): string | undefined {
  try {
    return /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Takes about 10 ms. */
function reportedLimit(): string | number | undefined {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: number | string } } }
    | undefined;
  return report?.userLimits?.open_files?.soft;
}
