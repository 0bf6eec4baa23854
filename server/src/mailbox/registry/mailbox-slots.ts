/** The places that mailboxes take, in all and of each client. Who has none takes no memory. */
export class Places {
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  get taken(): number {
    return this.#taken;
  }

  takenBy(client: string): number {
    return this.#byClient.get(client) ?? 0;
  }

  take(client: string): void {
    this.#taken++;
    this.#byClient.set(client, this.takenBy(client) + 1);
  }

  giveBack(client: string): void {
    this.#taken--;
    const left = this.takenBy(client) - 1;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }
}
