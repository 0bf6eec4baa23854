import { type GetVersionRequest, type GetVersionResponse, PROTOBUF_PACKAGE } from 'spread-sidecar-proto';
import { CLIENT_VERSION } from '../../spread/wire/index.js';
import type { UnaryHandler } from '../calls/unary-call.js';
import { versionMessage } from '../codec/convert.js';
import type { ServiceContext } from './service-context.js';

export function getVersion(context: ServiceContext): UnaryHandler<GetVersionRequest, GetVersionResponse> {
  return () => {
    const { sidecar, daemon, embeddedDaemon } = context.version();
    return {
      sidecar,
      contract: PROTOBUF_PACKAGE,
      clientProtocol: versionMessage(CLIENT_VERSION),
      daemon: daemon && versionMessage(daemon.version),
      daemonAddress: daemon?.address ?? '',
      embeddedDaemon,
    };
  };
}
