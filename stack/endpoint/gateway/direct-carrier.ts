/** The client's side without a converter: each connection of an application becomes one of ours to the same destination, which speaks Multipath TCP itself (RFC 8684), or TCP. */
import type { MptcpSocket, NetworkStack } from "../../net/net.ts";
import { isUnicast } from "../../unicast.ts";
import { formatIpAddress } from "../../wire/ip-address.ts";
import { ConnectFailure, failureOf } from "./connect-failure.ts";
import type { TransportAddress } from "./convert-message.ts";
import { ConverterDialler } from "./converter-dialler.ts";

/** Destinations of which it is remembered how they are reached; the one that was first asked for is forgotten first. */
const knownDestinations = 256;

export class DirectCarrier {
  readonly #stack: NetworkStack;
  /** By the destination's address and port. */
  readonly #diallers = new Map<string, ConverterDialler>();

  constructor(stack: NetworkStack) {
    this.#stack = stack;
  }

  /** Rejects with ConnectFailure. */
  async connect(remote: TransportAddress): Promise<MptcpSocket> {
    if (!isUnicast(remote.address, []) || remote.port === 0)
      throw new ConnectFailure("EHOSTUNREACH", "a destination that no server can have");
    try {
      return (await this.#diallerOf(formatIpAddress(remote.address), remote.port).dial()).socket;
    } catch (error) {
      throw failureOf((error as Error).cause as NodeJS.ErrnoException);
    }
  }

  /** Who is reached at `host` and `port` has said that `address` is its own, too (ADD_ADDR). */
  learn(address: string, host: string, port: number): void {
    this.#diallers.get(nameOf(host, port))?.learn(address);
  }

  #diallerOf(host: string, port: number): ConverterDialler {
    const name = nameOf(host, port);
    let dialler = this.#diallers.get(name);
    if (dialler !== undefined) return dialler;
    for (const first of this.#diallers.keys()) {
      if (this.#diallers.size < knownDestinations) break;
      this.#diallers.delete(first);
    }
    this.#diallers.set(name, (dialler = new ConverterDialler(this.#stack, [{ host, port }])));
    return dialler;
  }
}

function nameOf(host: string, port: number): string {
  return `${host} ${port}`;
}
