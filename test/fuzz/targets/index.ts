import type { Target } from '../engine/target.js';
import { responses, richStatus } from './client-decoding.js';
import { config } from './config.js';
import { daemon } from './daemon.js';
import { envelopes } from './envelopes.js';
import { clientFrames, daemonFrames } from './frames.js';
import { grpcCalls } from './grpc-calls.js';
import { grpcFrames } from './grpc-frames.js';
import { handshake } from './handshake.js';
import { hostileSidecar } from './hostile-sidecar.js';
import { admin, http2, tls } from './http2.js';
import { requests } from './requests.js';
import { session } from './session.js';
import { names, spreadConf, tokenFile } from './texts.js';

export const TARGETS: readonly Target[] = [
  clientFrames(),
  daemonFrames,
  handshake,
  session,
  requests,
  responses,
  richStatus,
  config,
  spreadConf,
  tokenFile,
  names,
  envelopes,
  daemon,
  grpcCalls,
  grpcFrames,
  http2,
  tls,
  admin,
  hostileSidecar,
];
