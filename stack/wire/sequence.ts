/**
 * Sequence numbers. On the wire they are 32 bits wide and wrap (RFC 9293 §3.4); inside the stack a position in a stream is an offset from the initial
 * sequence number: a safe integer that never wraps and compares with `<`. Only this file converts between the two.
 */

declare const brand: unique symbol;

/** A 32-bit sequence number as it stands on the wire. Not to be compared with `<`. */
export type SequenceNumber = number & { readonly [brand]: "SequenceNumber" };

export function sequenceNumber(value: number): SequenceNumber {
  return (value >>> 0) as SequenceNumber;
}

/** The sequence number `offset` bytes after `initial`; any safe integer. */
export function wrapOffset(initial: SequenceNumber, offset: number): SequenceNumber {
  return ((initial + (offset % 0x1_0000_0000)) >>> 0) as SequenceNumber;
}

/** The offset from `initial` that `value` means, given that it lies within 2³¹ of `nearOffset`. */
export function unwrapSequence(value: SequenceNumber, initial: SequenceNumber, nearOffset: number): number {
  return nearOffset + ((value - wrapOffset(initial, nearOffset)) | 0);
}

/** A 64-bit quantity as two unsigned halves: keys, initial data sequence numbers. BigInt costs too much where these are used. */
export interface Uint64 {
  readonly high: number;
  readonly low: number;
}

/** High half of `base + offset` modulo 2⁶⁴. */
export function addHigh(base: Uint64, offset: number): number {
  return (base.high + Math.floor((base.low + offset) / 0x1_0000_0000)) >>> 0;
}

/** Low half of `base + offset` modulo 2⁶⁴; this is also the 4-octet form of a data sequence number (RFC 8684 §3.3.1). */
export function addLow(base: Uint64, offset: number): number {
  return (base.low + (offset % 0x1_0000_0000)) >>> 0;
}

/** The offset from `base` of a 64-bit number; NaN when it is farther than a safe integer reaches, which no honest peer sends. */
export function unwrap64(high: number, low: number, base: Uint64): number {
  const borrow = low < base.low ? 1 : 0;
  const highDifference = (high - base.high - borrow) | 0;
  if (highDifference > 0x1f_ffff || highDifference < -0x20_0000) return Number.NaN;
  return highDifference * 0x1_0000_0000 + ((low - base.low) >>> 0);
}

/** The offset from `base` that the 4-octet form `low` means, given that it lies within 2³¹ of `nearOffset` (RFC 8684 §3.3.1). */
export function unwrap32(low: number, base: Uint64, nearOffset: number): number {
  return nearOffset + ((low - addLow(base, nearOffset)) | 0);
}
