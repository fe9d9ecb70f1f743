/** One connection of two subflows at full speed between two namespaces, for as long as is asked, both ends ours. */

import { End } from "../end.ts";
import type { SoakSample } from "../end-protocol.ts";
import { Lab, type Side, sides } from "../lab.ts";
import { processorTimes } from "../machine.ts";
import { blockBytes } from "./long-stream.ts";
import { type Check, memoryIsFlat, wraps } from "./verdict.ts";

export type WireProgress = {
  /** Since the line before. */
  intervalSeconds: number;
  gigabitsPerSecond: number;
  bytes: number;
  /** Blocks of which both ends have the hash, and of those the ones that differ. */
  blocks: number;
  differing: number;
  wraps: number;
  client: Held;
  server: Held;
  /** Of the machine: how much of its processors was busy. */
  busy: number;
};

type Held = Pick<SoakSample, "rss" | "heapUsed" | "external">;

export async function runWireSoak(seconds: number, onProgress: (progress: WireProgress) => void): Promise<Check[]> {
  const lab = await Lab.open({
    stacks: { client: "ours", server: "ours" },
    paths: 2,
    offload: true,
    congestionControl: "reno",
  });
  const ends: End[] = [];
  try {
    const start = async (side: Side, task: Parameters<typeof End.start>[0]["task"]): Promise<End> => {
      // A young generation that V8 doubles when it likes is a step of some ten megabytes, in whichever minute.
      const nodeArguments = ["--expose-gc", "--min-semi-space-size=2", "--max-semi-space-size=2"];
      const end = await End.start({ lab, side, mptcp: true, application: "soak", nodeArguments, task });
      ends.push(end);
      return end;
    };
    const server = await start("server", { mode: "serve", service: "discard" });
    const client = await start("client", { mode: "stream" });
    return await watch({ client, server }, seconds, onProgress);
  } finally {
    for (const end of ends) await end.stop();
    lab.close();
  }
}

async function watch(
  ends: Readonly<Record<Side, End>>,
  seconds: number,
  onProgress: (progress: WireProgress) => void,
): Promise<Check[]> {
  const series = newSeries();
  const blocks: Record<Side, string[]> = { client: [], server: [] };
  const begun = performance.now();
  let last = begun;
  let lastBytes = 0;
  let lastBusy = processorTimes().busySeconds;
  const waited = (): number => Math.max(...sides.map((side) => ends[side].waitingSeconds()));
  /** Seconds without a byte, the longest; and the longest of what of them an end did not wait for a processor. */
  let silence = 0;
  let stall = 0;
  let moved = begun;
  let movedWaited = waited();
  let progress: WireProgress | undefined;
  while (performance.now() - begun < seconds * 1e3) {
    const [client, server] = await Promise.all(sides.map(async (side) => (await ends[side].message("soak")).soak));
    const now = performance.now();
    const busySeconds = processorTimes().busySeconds;
    blocks.client.push(...client!.blocks);
    blocks.server.push(...server!.blocks);
    const both = Math.min(blocks.client.length, blocks.server.length);
    const differing = blocks.server.slice(0, both).filter((hash, i) => hash !== blocks.client[i]).length;
    if (server!.bytes > lastBytes) [moved, movedWaited] = [now, waited()];
    silence = Math.max(silence, (now - moved) / 1e3);
    stall = Math.max(stall, (now - moved) / 1e3 - (waited() - movedWaited));
    const intervalSeconds = (now - last) / 1e3;
    progress = {
      intervalSeconds,
      gigabitsPerSecond: ((server!.bytes - lastBytes) * 8) / intervalSeconds / 1e9,
      bytes: server!.bytes,
      blocks: both,
      differing,
      wraps: wraps(server!.subflows),
      client: note(series.client, client!),
      server: note(series.server, server!),
      busy: (busySeconds - lastBusy) / intervalSeconds,
    };
    onProgress(progress);
    [last, lastBytes, lastBusy] = [now, server!.bytes, busySeconds];
    if (differing > 0 || stall > stallLimitSeconds) break;
  }
  if (progress === undefined) throw new Error("no sample");
  const { bytes, differing, wraps: wrapped } = progress;
  const elapsed = (performance.now() - begun) / 1e3;
  return [
    {
      what: "the hash of every block is right at both ends",
      passed: differing === 0 && progress.blocks > 0,
      found: `${progress.blocks} blocks of ${blockBytes / 2 ** 30} GiB, ${differing} differ`,
    },
    {
      what: "it never stood still while it had a processor",
      passed: stall <= stallLimitSeconds,
      found: `${((bytes * 8) / elapsed / 1e9).toFixed(2)} Gbit/s on average, ${silence.toFixed(1)} s without a byte at the most, ${stall.toFixed(1)} s of that with a processor`,
    },
    {
      what: "sequence numbers wrapped",
      passed: wrapped >= (elapsed / 3_600) * leastWrapsAnHour,
      found: `at least ${wrapped} times on the subflows, ${Math.floor(bytes / 2 ** 32)} times at the data level`,
    },
    ...sides.flatMap((side) => memoryIsFlat(side, series[side])),
  ];
}

/** No byte for so long, beside the time in which others had the processors: it will not go on. */
const stallLimitSeconds = 30;
/** 0.1 Gbit/s: less is not full speed on any machine. */
const leastWrapsAnHour = 10;

type Series = Record<keyof Held, number[]>;

function newSeries(): Record<Side, Series> {
  return { client: { rss: [], heapUsed: [], external: [] }, server: { rss: [], heapUsed: [], external: [] } };
}

function note(series: Series, { rss, heapUsed, external }: Held): Held {
  series.rss.push(rss);
  series.heapUsed.push(heapUsed);
  series.external.push(external);
  return { rss, heapUsed, external };
}
