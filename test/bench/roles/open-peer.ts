import type { PeerSpec } from './order.js';
import type { Peer } from './peer.js';

/** Loads only the measured client, so that the other clients affect neither its memory nor its start time. */
export async function openPeer(spec: PeerSpec): Promise<Peer> {
  switch (spec.kind) {
    case 'session':
      return (await import('./session-peer.js')).SessionPeer.open(spec.address);
    case 'sidecar':
      return (await import('./sidecar-peer.js')).SidecarPeer.open(spec.target, spec.sends);
    case 'nats':
      return (await import('./nats-peer.js')).NatsPeer.open(spec.port);
    case 'grpc-relay':
      return (await import('./grpc-peer.js')).GrpcRelayPeer.open(spec.port);
    case 'grpc-unary':
      return (await import('./grpc-peer.js')).GrpcUnaryPeer.open(spec.port);
    case 'dapr':
      return (await import('./dapr-peer.js')).DaprPeer.open(spec.port);
    case 'redis':
      return (await import('./redis-peer.js')).RedisPeer.open(spec.port);
  }
}
