import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { type RpcDetails, readStatusDetails } from './google-rpc.js';

export interface RpcError extends RpcDetails {
  /** The message of the status. */
  details: string;
  trailers: Metadata;
}

/** The information of a failed call. */
export function rpcErrorOf(error: unknown): RpcError {
  const { code, details, metadata } = error as ServiceError;
  if (typeof code !== 'number' || metadata === undefined) throw error;
  const [trailer] = metadata.get('grpc-status-details-bin');
  const none = { message: '', info: undefined, retryDelayMs: undefined };
  const read = Buffer.isBuffer(trailer) ? readStatusDetails(trailer) : none;
  return { ...read, code, details, trailers: metadata };
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<RpcError> {
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    return rpcErrorOf(error);
  }
  throw new Error(`the call should have failed; it answered ${String(value)}`);
}
