import { connect, type NetConnectOpts } from 'node:net';
import {
  AcceptReader,
  AuthListReader,
  encodeAuthChoice,
  encodeConnectRequest,
  encodeDisconnect,
  encodeJoin,
} from '../../../server/src/spread/wire/index.js';

const PATIENCE_MS = 3000;

/** Whether a daemon accepts a session and lets it join a group within three seconds. */
export function probe(where: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ noDelay: true, ...where });
    const list = new AuthListReader();
    const accept = new AcceptReader();
    const done = (works: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(works);
    };
    const timer = setTimeout(() => done(false), PATIENCE_MS);
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
    socket.write(encodeConnectRequest({ name: '', membership: true, priority: 0 }));
    socket.on('data', (chunk) => {
      if (accept.done) {
        // The view of the own join.
        socket.end(encodeDisconnect(accept.value.privateGroup));
        done(true);
      } else if (list.done) {
        if (accept.push(chunk)) socket.write(encodeJoin(accept.value.privateGroup, 'probe'));
      } else if (list.push(chunk)) {
        socket.write(encodeAuthChoice(['NULL']));
      }
    });
  });
}
