/** What the IP header of a connection's segments says of how they are to be forwarded: an application chooses it, also while the connection lives (RFC 9293 §3.9.1.9, §3.9.2). */

const defaultHopLimit = 64;

export class PacketMarking {
  #differentiatedServices = 0;
  #hopLimit: number = defaultHopLimit;

  /** Code point of RFC 2474, 0 … 63; default 0, best effort. */
  get differentiatedServices(): number {
    return this.#differentiatedServices;
  }

  /** @throws RangeError */
  set differentiatedServices(codePoint: number) {
    this.#differentiatedServices = checked("a code point of differentiated services", codePoint, 0, 63);
  }

  /** Time to live of IPv4, hop limit of IPv6, 1 … 255; default 64. */
  get hopLimit(): number {
    return this.#hopLimit;
  }

  /** @throws RangeError */
  set hopLimit(hops: number) {
    this.#hopLimit = checked("a hop limit", hops, 1, 255);
  }
}

function checked(what: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${value} is not ${what}: ${least} … ${most}`);
}
