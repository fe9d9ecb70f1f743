import type { Ipv6Address } from "../../stack/wire/ip-address.ts";
import { flowHash } from "./flow-hash.ts";

const slotBits = 10;
const slots = 1 << slotBits;

/** No packet's. */
const noProtocol = -1;

/**
 * The hashes of the flows through one router. Packets of a flow come again and again, and a hash costs more than all else that a simulated router does with one: those of
 * recent flows are kept, each in the one slot that it can have.
 */
export class FlowHashes {
  readonly #seed: number;
  readonly #sources: (number | Ipv6Address)[] = Array.from({ length: slots }, () => 0);
  readonly #destinations: (number | Ipv6Address)[] = Array.from({ length: slots }, () => 0);
  readonly #ports = new Int32Array(slots);
  readonly #protocols = new Int16Array(slots).fill(noProtocol);
  readonly #hashes = new Uint32Array(slots);

  constructor(seed: number) {
    this.#seed = seed;
  }

  /**
   * @param ports source port in the upper half, signed
   * @returns `flowHash` of it
   */
  of(source: number | Ipv6Address, destination: number | Ipv6Address, protocol: number, ports: number): number {
    const slot = slotOf(source, destination, ports);
    if (
      this.#ports[slot] === ports &&
      this.#sources[slot] === source &&
      this.#destinations[slot] === destination &&
      this.#protocols[slot] === protocol
    )
      return this.#hashes[slot]!;
    const hash = flowHash(this.#seed, source, destination, protocol, ports >>> 16, ports & 0xffff);
    this.#ports[slot] = ports;
    this.#sources[slot] = source;
    this.#destinations[slot] = destination;
    this.#protocols[slot] = protocol;
    this.#hashes[slot] = hash;
    return hash;
  }
}

function slotOf(source: number | Ipv6Address, destination: number | Ipv6Address, ports: number): number {
  const from = typeof source === "number" ? source : source.word1 ^ source.word3;
  const to = typeof destination === "number" ? destination : destination.word1 ^ destination.word3;
  const mixed = Math.imul(from ^ Math.imul(to, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> (32 - slotBits);
}
