import { ServiceType } from 'spread-sidecar-proto';
import {
  AGREED_MESS,
  CAUSAL_MESS,
  FIFO_MESS,
  REGULAR_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  SELF_DISCARD,
  UNRELIABLE_MESS,
} from './constants.js';
import { localSpreadError } from './spread-error.js';

/** The name of a service type. */
export type ServiceTypeName = 'UNRELIABLE' | 'RELIABLE' | 'FIFO' | 'CAUSAL' | 'AGREED' | 'SAFE';

/** Spread's bit of each service type. */
export const SERVICE_TYPES: Readonly<Record<ServiceTypeName, number>> = Object.freeze({
  UNRELIABLE: UNRELIABLE_MESS,
  RELIABLE: RELIABLE_MESS,
  FIFO: FIFO_MESS,
  CAUSAL: CAUSAL_MESS,
  AGREED: AGREED_MESS,
  SAFE: SAFE_MESS,
});

const NAMES: ReadonlyMap<number, ServiceTypeName> = new Map(
  Object.entries(SERVICE_TYPES).map(([name, bits]) => [bits, name as ServiceTypeName]),
);

/**
 * The name of a service type in Spread's bits, such as `SAFE` for {@link SAFE_MESS}. Undefined if there is
 * none.
 */
export function serviceTypeName(bits: number): ServiceTypeName | undefined {
  return NAMES.get(bits & REGULAR_MESS);
}

/** Converts Spread's service type word to the contract. */
export function fromServiceBits(bits: number): { serviceType: ServiceType; selfDiscard: boolean } {
  const name = serviceTypeName(bits);
  if (name === undefined || (bits & ~(REGULAR_MESS | SELF_DISCARD)) !== 0)
    throw localSpreadError(
      'ILLEGAL_SERVICE',
      `service type 0x${(bits >>> 0).toString(16)} is invalid; allowed is one type from UNRELIABLE_MESS to SAFE_MESS, with or without SELF_DISCARD`,
      { field: 'service_type', bound: 'one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, with or without 0x40' },
    );
  return { serviceType: ServiceType[name], selfDiscard: (bits & SELF_DISCARD) !== 0 };
}

/** Spread's bit for a service type of the contract. 0 if it is unspecified. */
export function toServiceBits(serviceType: ServiceType): number {
  return serviceType >= ServiceType.UNRELIABLE && serviceType <= ServiceType.SAFE
    ? 1 << (serviceType - 1)
    : 0;
}
