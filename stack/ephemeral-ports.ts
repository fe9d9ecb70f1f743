import { NetworkError } from "./network-error.ts";

const first = 32_768;
const count = 28_232;

/** The next free port after one by chance (RFC 6056 §3.3.1, simple randomisation). @throws NetworkError EADDRNOTAVAIL when none is free */
export function freePort(random: () => number, isFree: (port: number) => boolean): number {
  const start = random() >>> 0;
  for (let i = 0; i < count; i++) {
    const port = first + ((start + i) % count);
    if (isFree(port)) return port;
  }
  throw new NetworkError("EADDRNOTAVAIL", "no port is left");
}
