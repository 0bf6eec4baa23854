import type { Socket } from 'node:net';
import type { AdminLimits } from '../admin/admin-server.js';
import { ConnectionBudget, mostConnections } from '../net/connection-budget.js';

/** The limits of connections that follow from the process's limit of open files. */
export interface ConnectionPlan {
  /**
   * Counts a connection of the gRPC server or the embedded daemon until it closes. False: the connection is one
   * too many.
   */
  readonly admit: (socket: Socket) => boolean;
  /** Called for each connection that is one too many. */
  onRefused: (about: { readonly peer: string; readonly openFiles: number }) => void;
  /** The admin port has its own connections, so that probes can connect whatever clients do. */
  readonly adminLimits: Pick<AdminLimits, 'maxConnections' | 'keptConnections' | 'maxHttp2Connections'>;
}

/** Limits of the admin port if the limit of open files is high. */
const ADMIN_CONNECTIONS = 500;
const ADMIN_KEPT_CONNECTIONS = 200;
const ADMIN_HTTP2_CONNECTIONS = 64;

/** Connections of clients and mailboxes together. */
const shared = (openFiles: number): { most: number; admin: number } => {
  const all = mostConnections(openFiles);
  const admin = Math.min(ADMIN_CONNECTIONS, Math.floor(all / 4));
  return { most: all - admin, admin };
};

/**
 * Largest number of mailboxes that leaves as many connections to clients and, with the embedded daemon, to its
 * native clients. Each mailbox has a connection to its daemon.
 */
export function mostMailboxes(openFiles: number, embeddedDaemon: boolean): number {
  return Math.floor(shared(openFiles).most / (embeddedDaemon ? 3 : 2));
}

/** @param mailboxes - number of mailboxes, each with a connection to its daemon */
export function planConnections(mailboxes: () => number, openFiles: number): ConnectionPlan {
  const { most, admin } = shared(openFiles);
  const budget = new ConnectionBudget(most, mailboxes);
  const plan: ConnectionPlan = {
    admit: (socket) => {
      const isAdmitted = budget.admit(socket);
      if (!isAdmitted) plan.onRefused({ peer: `${socket.remoteAddress ?? 'unix'}`, openFiles });
      return isAdmitted;
    },
    onRefused: () => {},
    adminLimits: {
      maxConnections: admin,
      keptConnections: Math.min(ADMIN_KEPT_CONNECTIONS, admin),
      maxHttp2Connections: Math.min(ADMIN_HTTP2_CONNECTIONS, Math.ceil(admin / 2)),
    },
  };
  return plan;
}
