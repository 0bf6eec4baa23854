import type { SpreadAddress } from '../../../server/src/spread/address.js';
import { Session } from '../../../server/src/spread/session.js';
import { until } from '../../support/until.js';
import { Violation } from '../engine/target.js';

/**
 * Two well-behaved clients in one group. Whatever other clients do, all messages of one reach the other in order.
 */
export class DaemonBystanders {
  #sent = 0;
  #received = 0;
  #views = 0;
  #problem: string | undefined;

  private constructor(
    private readonly sender: Session,
    private readonly receiver: Session,
  ) {
    const lost = (error: unknown) => {
      this.#problem ??= `a bystander's session ended: ${String(error)}`;
    };
    receiver.start({
      onClose: (error) => error && lost(error),
      onMessage: (message) => {
        if (message.kind === 'view') this.#views += 1;
        if (message.kind !== 'regular' || message.sender !== this.sender.privateGroup) return;
        this.#received += 1;
        const text = message.payload.toString('latin1');
        if (text !== `good ${this.#received}`)
          this.#problem ??= `instead of message ${this.#received} the bystander got '${text.slice(0, 40)}'`;
      },
    });
    sender.start({ onClose: (error) => error && lost(error), onMessage: () => {} });
    receiver.join('good');
  }

  static async connect(address: SpreadAddress): Promise<DaemonBystanders> {
    const session = (privateName: string) => Session.connect({ address, privateName, timeoutMs: 5000 });
    const bystanders = new DaemonBystanders(await session('sender'), await session('receiver'));
    await until(() => bystanders.#views > 0, { what: 'the bystander is a member' });
    return bystanders;
  }

  /** Sends one more message while the hostile clients run. */
  send(): void {
    this.#sent += 1;
    const payload = Buffer.from(`good ${this.#sent}`, 'latin1');
    this.sender.multicast({ serviceType: 'AGREED', groups: ['good'], payload });
  }

  /** All sent messages have arrived. */
  async areUnharmed(): Promise<void> {
    for (let i = 0; i < 3 && this.#problem === undefined; i++) this.send();
    await until(() => this.#received >= this.#sent || this.#problem !== undefined, {
      timeoutMs: 10_000,
      what: `the bystander has ${this.#sent} messages`,
    });
    if (this.#problem) throw new Violation(this.#problem);
  }

  async leave(): Promise<void> {
    await Promise.all([this.sender.disconnect(500), this.receiver.disconnect(500)]);
  }
}
