/** The gateway as it is, which also says what its process holds when it is asked to: a line on its standard input. */
import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runGateway } from "../../../endpoint/gateway/run-gateway.ts";

/** What one process holds once its garbage is collected. */
export interface ProcessHoldings {
  readonly type: "held";
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly fileDescriptors: number;
  /** Of Node's event loop: sockets of the kernel, timers, requests under way, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function holdings(): ProcessHoldings {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { type: "held", rss, heapUsed, external, fileDescriptors: readdirSync("/proc/self/fd").length, resources };
}

process.stdin
  .on("data", () => process.stdout.write(`${JSON.stringify(holdings())}\n`))
  // Whoever watches has gone.
  .on("end", () => process.exit());
await runGateway(process.argv.slice(2));
