import { splitmix32 } from "../path/random.ts";

/**
 * A seed for one purpose out of the experiment's: it depends on the purpose's name alone, not on what else there is, so that adding a host or a link leaves the
 * random numbers of all others as they were.
 * @returns an unsigned 32-bit integer
 */
export function derivedSeed(seed: number, ...purpose: readonly string[]): number {
  // FNV-1a over the name, mixed with the seed.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(purpose.join("/"))) hash = Math.imul(hash ^ byte, 0x01000193);
  return splitmix32(splitmix32(seed)() ^ hash)();
}
