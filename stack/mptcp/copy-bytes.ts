/**
 * Bytes from one memory into another. `TypedArray.set` takes whole arrays only, so that a range needs a view: a hundred bytes of heap for each received segment. Node's `Buffer` copies ranges
 * of any Uint8Array, and is as fast; where there is no Node there is the view.
 */

/* oxlint-disable no-restricted-globals -- A copy is as pure as the assignment of each byte. */

type CopyBytes = (source: Uint8Array, from: number, target: Uint8Array, to: number, length: number) => void;

function byView(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  target.set(source.subarray(from, from + length), to);
}

function byBuffer(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  Buffer.prototype.copy.call(source, target, to, from, from + length);
}

/** `length` bytes of `source` beginning with byte `from` become those of `target` beginning with byte `to`; they lie within both. */
export const copyBytes: CopyBytes = typeof Buffer === "undefined" ? byView : byBuffer;
