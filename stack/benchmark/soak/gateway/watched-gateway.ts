/** The gateway as it is, which also says what its process holds when it is asked to: a line on its standard input. */
import { readdirSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runGateway } from "../../../endpoint/gateway/run-gateway.ts";
import { freedMemoryMilliseconds } from "../../../io/freed-memory.ts";

/** What one process holds once its garbage is collected, and what that has freed may have been given back. */
export interface ProcessHoldings {
  readonly type: "held";
  readonly rss: number;
  /** What V8 has of the system for its heap, and what of it is in use. */
  readonly heapTotal: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly fileDescriptors: number;
  /** Of Node's event loop: sockets of the kernel, timers, requests under way, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (how: { type: "major"; flavor: "last-resort" }) => void;

/** V8 gives back buffers of collected objects beside the program, and counts them until it collects again. The C library keeps them until the gateway looks. */
async function holdings(): Promise<ProcessHoldings> {
  for (let collections = 0; collections < 3; collections++) {
    // The free pages of V8's heap go back, too: how many it keeps, up to 130 MiB, is its business, and differs each time.
    collectGarbage({ type: "major", flavor: "last-resort" });
    await nextTurn();
  }
  await pause(1.5 * freedMemoryMilliseconds);
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    type: "held",
    rss,
    heapTotal,
    heapUsed,
    external,
    fileDescriptors: readdirSync("/proc/self/fd").length,
    resources,
  };
}

process.stdin
  .on("data", () => void holdings().then((held) => process.stdout.write(`${JSON.stringify(held)}\n`)))
  // Whoever watches has gone.
  .on("end", () => process.exit());
await runGateway(process.argv.slice(2));
