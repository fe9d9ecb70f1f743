/**
 * SYN cookies (RFC 4987 §3.6): what a half-open connection would have to remember goes out in the sequence number and the timestamp of its SYN/ACK, under a keyed hash, and comes
 * back with the third segment. Thirty-two bits: a count of 64 s intervals (5), the peer's segment size (3), the hash (24). A peer that speaks timestamps also gets
 * its window scale, selective acknowledgements and ECN, in the low bits of its timestamp's echo.
 */

import { type SequenceNumber, sequenceNumber, type Uint64 } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { type FourTuple, hashTuple } from "./four-tuple.ts";
import { randomSipKey, type SipKey } from "./siphash.ts";

const intervalMicroseconds = 64_000_000;
const intervals = 32;
/** A cookie is good in the interval in which it was made and in the next. */
export const cookieLifetimeMicroseconds: number = 2 * intervalMicroseconds;

/** What a peer may say that it takes, rounded down to one of these. */
const segmentSizes = [64, 536, 1220, 1300, 1400, 1440, 1460, 8960] as const;

/* Low bits of the timestamp of the SYN/ACK. */
const noWindowScale = 15;
const sackBit = 16;
const congestionBit = 32;
const optionBits = 63;

export class SynCookies {
  readonly #cookieKey: SipKey;
  readonly #connectionKey: SipKey;

  /** `random`: uniform unsigned 32-bit numbers. */
  constructor(random: () => number) {
    this.#cookieKey = randomSipKey(random);
    this.#connectionKey = randomSipKey(random);
  }

  /** The sequence number of the SYN/ACK that answers `syn`. */
  issue(tuple: FourTuple, syn: TcpSegment, now: number): SequenceNumber {
    let size = segmentSizes.length - 1;
    while (size > 0 && segmentSizes[size]! > (syn.mss || 536)) size--;
    return this.#cookie(tuple, syn.sequence, Math.floor(now / intervalMicroseconds) % intervals, size);
  }

  /** The peer's segment size, when `cookie` was issued a short time ago to a SYN with the number `peerSequence`; -1: it was not. */
  verify(tuple: FourTuple, peerSequence: SequenceNumber, cookie: SequenceNumber, now: number): number {
    const count = cookie >>> 27;
    const size = (cookie >>> 24) & 7;
    const age = (Math.floor(now / intervalMicroseconds) - count) & (intervals - 1);
    if (age > 1 || this.#cookie(tuple, peerSequence, count, size) !== cookie) return -1;
    return segmentSizes[size]!;
  }

  /** The key of MP_CAPABLE that goes with a cookie (RFC 8684 §3.1): the third segment brings it back, and it can be computed again. */
  connectionKey(tuple: FourTuple, cookie: SequenceNumber): Uint64 {
    return hashTuple(this.#connectionKey, tuple, cookie);
  }

  #cookie(tuple: FourTuple, peerSequence: SequenceNumber, count: number, size: number): SequenceNumber {
    const terms = count * 8 + size;
    return sequenceNumber(terms * 2 ** 24 + (hashTuple(this.#cookieKey, tuple, peerSequence, terms).low >>> 8));
  }
}

/** The timestamp of the SYN/ACK: at most `clock`, less than 64 ticks before it. `congestion`: ECN was asked for and is granted. */
export function timestampWithOptions(clock: number, syn: TcpSegment, congestion: boolean): number {
  const scale = syn.windowScale < 0 ? noWindowScale : syn.windowScale;
  const options = scale | (syn.sackPermitted ? sackBit : 0) | (congestion ? congestionBit : 0);
  const value = (clock & ~optionBits) | options;
  return (value >>> 0 > clock >>> 0 ? value - optionBits - 1 : value) >>> 0;
}

/** Fills in what the SYN had said, from the echo of the timestamp. */
export function readOptionsOf(echo: number, syn: TcpSegment): void {
  const scale = echo & noWindowScale;
  syn.windowScale = scale === noWindowScale ? -1 : scale;
  syn.sackPermitted = (echo & sackBit) !== 0;
  if ((echo & congestionBit) !== 0) syn.flags |= tcpFlag.ece | tcpFlag.cwr;
}
