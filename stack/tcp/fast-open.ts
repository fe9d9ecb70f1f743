/** TCP Fast Open (RFC 7413): data on the SYN for who has proved, by a cookie of an earlier connection, that it hears what is sent to its address. */

import type { IpAddress } from "../wire/ip-address.ts";
import { keepAddress } from "../wire/ip-address.ts";
import { addressWords, type FourTuple } from "./four-tuple.ts";
import { randomSipKey, type SipKey, sipHash } from "./siphash.ts";

/** As many octets as there is room for in a SYN/ACK beside all usual options and MP_CAPABLE (RFC 8684, appendix B.1). */
const cookieLength = 6;
/** After so long cookies are made with another key; those of the last one are good for as long again (RFC 7413 §4.1.2, §5.1). */
const keyLifetimeMicroseconds = 86_400_000_000;
/** Connections with data from a SYN whose peer has not answered yet (RFC 7413 §5.1): more are opened in the ordinary way. */
const pendingLimit = 128;
const cacheLimit = 256;
/** How long a peer is not tried after its path had dropped a SYN with the option (RFC 7413 §4.1.3.1). */
const avoidMicroseconds = 3_600_000_000;

function cookieWith(key: SipKey, { localAddress, remoteAddress }: FourTuple): Uint8Array {
  const { high, low } = sipHash(key, ...addressWords(localAddress), ...addressWords(remoteAddress));
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, high);
  bytes.setUint32(4, low);
  return new Uint8Array(bytes.buffer, 0, cookieLength);
}

function isSame(right: Uint8Array, cookie: Uint8Array): boolean {
  return cookie.length === cookieLength && right.every((octet, i) => octet === cookie[i]);
}

/** The listening side: makes and knows cookies, and bounds what they may cause. */
export class FastOpenServer {
  readonly #random: () => number;
  #key: SipKey;
  #previousKey: SipKey | undefined;
  #renewAt: number = keyLifetimeMicroseconds;
  readonly #pending = new Set<object>();

  /** `random`: uniform unsigned 32-bit numbers. */
  constructor(random: () => number) {
    this.#random = random;
    this.#key = randomSipKey(random);
  }

  /** Of the peer's address, and ours (RFC 7413 §4.1.2). */
  cookieFor(tuple: FourTuple, now: number): Uint8Array {
    this.#renew(now);
    return cookieWith(this.#key, tuple);
  }

  /** `outdated`: made with the last key; good this time, and to be replaced. */
  judge(tuple: FourTuple, cookie: Uint8Array, now: number): "valid" | "outdated" | "wrong" {
    this.#renew(now);
    if (isSame(cookieWith(this.#key, tuple), cookie)) return "valid";
    const previous = this.#previousKey;
    return previous !== undefined && isSame(cookieWith(previous, tuple), cookie) ? "outdated" : "wrong";
  }

  /** A host that was asked for no cookie for two lifetimes of a key knows neither of the two any more. */
  #renew(now: number): void {
    if (now < this.#renewAt) return;
    this.#previousKey = now < this.#renewAt + keyLifetimeMicroseconds ? this.#key : undefined;
    this.#key = randomSipKey(this.#random);
    this.#renewAt = now - ((now - this.#renewAt) % keyLifetimeMicroseconds) + keyLifetimeMicroseconds;
  }

  /** Whether one more may begin before its peer has answered. */
  admit(connection: object): boolean {
    if (this.#pending.size >= pendingLimit) return false;
    this.#pending.add(connection);
    return true;
  }

  /** The peer has answered, or never will. */
  settle(connection: object): void {
    this.#pending.delete(connection);
  }
}

/** What goes out with a SYN: a cookie, or an empty one, which asks for one; and how much the peer takes in a segment. */
export interface FastOpenPlan {
  readonly cookie: Uint8Array;
  readonly segmentSize: number;
}

interface CacheEntry extends FastOpenPlan {
  avoidUntil: number;
}

const request: FastOpenPlan = { cookie: new Uint8Array(0), segmentSize: 0 };

/** The connecting side: cookies by peer, the longest unused of which are forgotten (RFC 7413 §4.1.3). */
export class FastOpenCache {
  /** The longest unused first. */
  readonly #entries = new Map<IpAddress, CacheEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** undefined: the path is known to drop such SYNs. */
  plan(remote: IpAddress, now: number): FastOpenPlan | undefined {
    const entry = this.#entries.get(remote);
    if (entry === undefined) return request;
    this.#put(remote, entry);
    if (now < entry.avoidUntil) return undefined;
    return entry.cookie.length > 0 ? entry : request;
  }

  /** A SYN/ACK brought a cookie. */
  remember(remote: IpAddress, cookie: Uint8Array, segmentSize: number): void {
    this.#put(keepAddress(remote), { cookie, segmentSize, avoidUntil: 0 });
  }

  /** A SYN with the option had no answer, one without had. */
  noteDropped(remote: IpAddress, now: number): void {
    const known = this.#entries.get(remote) ?? request;
    this.#put(keepAddress(remote), { ...known, avoidUntil: now + avoidMicroseconds });
  }

  #put(remote: IpAddress, entry: CacheEntry): void {
    this.#entries.delete(remote);
    this.#entries.set(remote, entry);
    if (this.#entries.size <= cacheLimit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
