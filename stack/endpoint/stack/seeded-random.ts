/**
 * Uniform unsigned 32-bit numbers, the same for the same seed, so that a run can be repeated packet by packet (splitmix32: Steele, Lea and Flood,
 * 2014). A testbed's secrets need not be secret.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}
