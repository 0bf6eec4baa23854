import { type AdminPort, type Fields, readPage } from '../admin/admin-client.js';
import { TotalRates } from './total-rates.js';

/** The rows that a user wants to see. */
export interface RowsQuery {
  readonly order: string;
  readonly isDescending: boolean;
  readonly filter: string;
  /** Number of rows to skip. */
  readonly offset: number;
  readonly limit: number;
}

/** The state of a sidecar at one moment. */
export interface Sample {
  /** `/status.json`. */
  readonly status: Fields;
  /** `/mailboxes.json`. */
  readonly page: Fields;
  /** Of all mailboxes together. */
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
}

/** Reads samples of one sidecar. */
export class Sampler {
  readonly #rates = new TotalRates();

  constructor(private readonly port: AdminPort) {}

  /**
   * @param signal - stops the requests
   * @throws CommandFailure
   */
  async read(
    { order, isDescending, filter, offset, limit }: RowsQuery,
    signal: AbortSignal,
  ): Promise<Sample> {
    const port = { ...this.port, signal };
    const status = await readPage(port, '/status.json', 'checks');
    const page = await readPage(port, '/mailboxes.json', 'mailboxes', {
      sort: `${isDescending ? '-' : ''}${order}`,
      filter: filter === '' ? undefined : filter,
      offset,
      limit,
    });
    return { status, page, ...this.#rates.of(status) };
  }
}

/** A sample as one object: the page of mailboxes, with the status and the rates of all mailboxes. */
export function sampleObject({ status, page, receivedPerSecond, sentPerSecond }: Sample): object {
  const { schema: _, ...state } = status;
  const totals = { ...(state.totals as object), receivedPerSecond, sentPerSecond };
  return { ...page, status: { ...state, totals } };
}
