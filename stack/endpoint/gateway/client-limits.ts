/** What one client may ask of a converter, so that it does not become a tool against others (RFC 8803 §6.2.5, §9.3). */

/** Requests of one client that are not answered yet: each is a SYN to somebody. */
const pendingRequests = 2048;
/** Errors told to one client in a second; whoever provokes more is not answered. */
const errorsPerSecond = 500;

interface Client {
  pending: number;
  errors: number;
  since: number;
}

export class ClientLimits {
  readonly #now: () => number;
  readonly #clients = new Map<string, Client>();

  /** @param now milliseconds, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Clients that something is kept of. */
  get size(): number {
    return this.#clients.size;
  }

  /** A request begins; false: there are too many. `end` must follow when it was true. */
  begin(address: string): boolean {
    const client = this.#of(address);
    if (client.pending >= pendingRequests) return false;
    client.pending++;
    return true;
  }

  end(address: string): void {
    const client = this.#of(address);
    client.pending--;
    this.#forgetIfIdle(address, client);
  }

  /** Whether the client is told of one more error. */
  mayTellError(address: string): boolean {
    const now = this.#now();
    const client = this.#of(address);
    if (now - client.since >= 1_000) {
      Object.assign(client, { errors: 0, since: now });
      // The one whose second began first stands first.
      this.#clients.delete(address);
      this.#clients.set(address, client);
    }
    client.errors++;
    for (const [other, known] of this.#clients) {
      if (now - known.since < 1_000) break;
      this.#forgetIfIdle(other, known);
    }
    return client.errors <= errorsPerSecond;
  }

  #of(address: string): Client {
    let client = this.#clients.get(address);
    if (client === undefined) this.#clients.set(address, (client = { pending: 0, errors: 0, since: this.#now() }));
    return client;
  }

  #forgetIfIdle(address: string, { pending, errors, since }: Client): void {
    if (pending === 0 && (errors === 0 || this.#now() - since >= 1_000)) this.#clients.delete(address);
  }
}
