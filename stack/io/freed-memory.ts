/**
 * Memory that a process has freed and the C library keeps. What a gateway carries lies in pieces of a few bytes to 256 KiB, freed in no order; glibc gives back only what is
 * free at the end of its heap, so that a busy minute stays resident for good, a little more with each that is busier. Seen: 14 MiB in use and 324 MiB kept.
 */
import { nativeAddon } from "./native/addon.ts";

/** To give back 200 MiB took 14 ms, and to find that there is nothing half of one. */
export const freedMemoryMilliseconds = 10_000;

/** From now on, each so often, pages on which nothing is in use go back to the kernel, and the process may end all the same. */
export function keepReturningFreedMemory(milliseconds = freedMemoryMilliseconds): NodeJS.Timeout {
  const addon = nativeAddon();
  return setInterval(() => addon.returnFreedMemory(), milliseconds).unref();
}
