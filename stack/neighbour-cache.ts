/** Hardware addresses of the neighbours on a link, by whatever protocol asks for them: ARP (RFC 826) or neighbour discovery (RFC 4861). */

import type { OutgoingFrame } from "./frame.ts";
import { keepFrame, setDestination } from "./frame-writer.ts";
import type { MacAddress } from "./wire/ethernet.ts";
import { type IpAddress, keepAddress } from "./wire/ip-address.ts";

const requestInterval = 500_000;
const requestAttempts = 6;
/** Who has been heard of so recently needs not be asked; RFC 4861 §10 would ask after half as long. */
const refreshInterval = 60_000_000;
/** So often the known hardware address itself is asked before the whole link is (RFC 4861 §7.3.3). */
const directAttempts = 3;
const waitingFramesEach = 64;
const waitingFramesTogether = 1024;
const neighbourLimit = 4096;
const nobody: readonly IpAddress[] = [];

interface Neighbour {
  mac: MacAddress | undefined;
  confirmedAt: number;
  requestedAt: number;
  attempts: number;
  waiting: OutgoingFrame[];
}

export interface NeighbourLink {
  /** Asks for `address`: of `mac`, or of the whole link when that is undefined. */
  solicit(address: IpAddress, mac: MacAddress | undefined): void;
  /** Sends a frame that had to wait. */
  release(frame: OutgoingFrame): void;
}

export class NeighbourCache {
  readonly #link: NeighbourLink;
  readonly #neighbours = new Map<IpAddress, Neighbour>();
  #waiting = 0;

  constructor(link: NeighbourLink) {
    this.#link = link;
  }

  has(address: IpAddress): boolean {
    return this.#neighbours.has(address);
  }

  /** What is known of the address; asks for it when that is nothing, or old. */
  resolve(address: IpAddress, now: number): MacAddress | undefined {
    const neighbour = this.#neighbours.get(address) ?? this.#add(address);
    const isOld = now - neighbour.confirmedAt > refreshInterval;
    if ((neighbour.mac === undefined || isOld) && now - neighbour.requestedAt >= requestInterval)
      this.#request(address, neighbour, now);
    return neighbour.mac;
  }

  /** Keeps a copy of the frame until its neighbour has answered, if there is room. */
  hold(address: IpAddress, frame: OutgoingFrame): void {
    const { waiting } = this.#neighbours.get(address) ?? this.#add(address);
    if (waiting.length >= waitingFramesEach || this.#waiting >= waitingFramesTogether) return;
    waiting.push(keepFrame(frame));
    this.#waiting++;
  }

  learn(address: IpAddress, mac: MacAddress, now: number): void {
    const neighbour = this.#neighbours.get(address) ?? this.#add(address);
    neighbour.mac = mac;
    neighbour.confirmedAt = now;
    neighbour.attempts = 0;
    for (const frame of this.#takeWaiting(neighbour)) {
      setDestination(frame, mac);
      this.#link.release(frame);
    }
  }

  /** Frames that wait for an answer. */
  get waitingFrames(): number {
    return this.#waiting;
  }

  get nextTimeout(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#waiting === 0) return next;
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.waiting.length > 0) next = Math.min(next, neighbour.requestedAt + requestInterval);
    }
    return next;
  }

  /** The neighbours that have not answered for so long that what waited for them is dropped (RFC 4861 §7.2.2, which is as long as Linux waits for ARP). */
  handleTimeout(now: number): readonly IpAddress[] {
    if (this.#waiting === 0) return nobody;
    const silent: IpAddress[] = [];
    for (const [address, neighbour] of this.#neighbours) {
      // As `nextTimeout` computes it: of two ways to round, one would be due and have nothing to do.
      if (neighbour.waiting.length === 0 || now < neighbour.requestedAt + requestInterval) continue;
      if (neighbour.attempts >= requestAttempts) {
        this.#takeWaiting(neighbour);
        neighbour.attempts = 0;
        silent.push(address);
      } else this.#request(address, neighbour, now);
    }
    return silent;
  }

  clear(): void {
    this.#neighbours.clear();
    this.#waiting = 0;
  }

  #add(address: IpAddress): Neighbour {
    if (this.#neighbours.size >= neighbourLimit) this.#evict();
    const neighbour: Neighbour = {
      mac: undefined,
      confirmedAt: 0,
      requestedAt: Number.NEGATIVE_INFINITY,
      attempts: 0,
      waiting: [],
    };
    this.#neighbours.set(keepAddress(address), neighbour);
    return neighbour;
  }

  /** The oldest goes, first of those who have never answered: a scan of the link does not push the router out. */
  #evict(): void {
    let victim: IpAddress = this.#neighbours.keys().next().value!;
    for (const [address, { mac }] of this.#neighbours) {
      if (mac !== undefined) continue;
      victim = address;
      break;
    }
    this.#takeWaiting(this.#neighbours.get(victim)!);
    this.#neighbours.delete(victim);
  }

  #takeWaiting(neighbour: Neighbour): OutgoingFrame[] {
    const { waiting } = neighbour;
    neighbour.waiting = [];
    this.#waiting -= waiting.length;
    return waiting;
  }

  #request(address: IpAddress, neighbour: Neighbour, now: number): void {
    neighbour.requestedAt = now;
    this.#link.solicit(address, neighbour.attempts++ < directAttempts ? neighbour.mac : undefined);
  }
}
