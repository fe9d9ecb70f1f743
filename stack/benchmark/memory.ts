/** What connections that do nothing hold. */

import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Measures } from "./comparison.ts";
import { withEnds } from "./connections.ts";
import type { End, EndOptions } from "./end.ts";
import type { Lab } from "./lab.ts";

/** What others on the machine let come and go in a tenth of a second. */
const noiseBytes = 2 ** 20;

/** Bytes a connection, of one end. */
export type IdleMemory = {
  clientBytes: number;
  serverBytes: number;
  /** Of those, what the processes hold; the rest is the kernel's, which is taken to be half for each end. */
  clientProcessBytes: number;
  serverProcessBytes: number;
};

export const idleMemoryMeasures: Measures<IdleMemory> = [
  ["clientBytes", "bytes each: client"],
  ["serverBytes", "server"],
  ["clientProcessBytes", "in the client's process"],
  ["serverProcessBytes", "the server's"],
];

export async function measureIdleMemory(
  ends: Pick<EndOptions, "mptcp"> & { lab: Lab },
  count: number,
): Promise<IdleMemory> {
  // The one connection before makes what is there once, whatever the number.
  const before = await held(ends, 1);
  const after = await held(ends, count);
  const each = (key: keyof typeof after): number => (after[key] - before[key]) / (count - 1);
  const [clientProcessBytes, serverProcessBytes] = [each("client"), each("server")];
  const kernelBytes = Math.max(0, each("kernel")) / 2;
  return {
    clientBytes: clientProcessBytes + kernelBytes,
    serverBytes: serverProcessBytes + kernelBytes,
    clientProcessBytes,
    serverProcessBytes,
  };
}

async function held(ends: Pick<EndOptions, "mptcp"> & { lab: Lab }, count: number) {
  const slabBefore = await settledSlabBytes();
  return withEnds({ ...ends, nodeArguments: ["--expose-gc"] }, { mode: "hold", count }, async (client, server) => {
    await client.message("held");
    const [clientBytes, serverBytes] = [await settled(client), await settled(server)];
    return { client: clientBytes, server: serverBytes, kernel: slabBytes() - slabBefore };
  });
}

async function settled(end: End): Promise<number> {
  await end.sample();
  return end.residentBytes();
}

/** The kernel's small objects, of the whole machine. */
function slabBytes(): number {
  return Number(/^Slab:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))![1]) * 1_024;
}

/** When the kernel has taken apart what was there before, which it does at its leisure; on a machine that is never quiet, after a while. */
async function settledSlabBytes(): Promise<number> {
  let before = slabBytes();
  for (let quiet = 0, looks = 0; quiet < 5 && looks < 50; looks++) {
    await delay(100);
    const now = slabBytes();
    quiet = Math.abs(now - before) < noiseBytes ? quiet + 1 : 0;
    before = now;
  }
  return before;
}
