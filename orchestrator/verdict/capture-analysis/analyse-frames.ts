/** The capture, read once from beginning to end, becomes what the judge knows of the wire. */
import type { Plan, PlannedNode } from "../../plan/plan.ts";
import { mergeVantages } from "./merge-vantages.ts";
import { readTcpFrame } from "./tcp-frame.ts";
import { Vantage } from "./vantage.ts";
import type { WireAnalysis } from "./wire-analysis.ts";

/** One frame of a capture, in the order of the file. `bytes` may be used again for the next one. */
export interface WireFrame {
  /** The host whose interface it was seen on. */
  readonly host: string;
  /** Of the capture's clock. */
  readonly epochMicroseconds: number;
  readonly bytes: Uint8Array;
  /** Before it was cut at the snap length. */
  readonly wireLength: number;
}

export const binMicroseconds = 50_000;

/** `zeroEpochMicroseconds`: the run's zero on the capture's clock. `lostFrames` is asked when the last frame has been read. */
export async function analyseFrames(
  frames: Iterable<WireFrame> | AsyncIterable<WireFrame>,
  plan: Plan,
  zeroEpochMicroseconds: number,
  lostFrames: () => number,
): Promise<WireAnalysis> {
  const ports = new Set(plan.workloads.map(({ port }) => port));
  const vantages = new Map<string, Vantage>();
  let frameCount = 0;
  let tcpFrames = 0;
  for await (const { host, epochMicroseconds, bytes, wireLength } of frames) {
    frameCount += 1;
    const frame = readTcpFrame(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), wireLength);
    if (frame === undefined) continue;
    tcpFrames += 1;
    let vantage = vantages.get(host);
    if (vantage === undefined) vantages.set(host, (vantage = new Vantage(host, ports, binMicroseconds)));
    vantage.handleFrame(frame, epochMicroseconds - zeroEpochMicroseconds);
  }
  for (const vantage of vantages.values()) vantage.finish();
  return {
    schemaVersion: 1,
    capture: { frames: frameCount, tcpFrames, lostFrames: lostFrames() },
    binMicroseconds,
    connections: plan.workloads.flatMap((workload) => {
      const ends = [plan.nodes.find(({ name }) => name === workload.client), plan.nodes.find(({ name }) => name === workload.server)];
      return mergeVantages(workload, vantages, (subflow) => userSideLink(ends.filter((node) => node !== undefined), subflow));
    }),
  };
}

/** The link of the interface whose address the subflow uses, on that of the two hosts which has more interfaces (the client, where they have as many). */
function userSideLink(hosts: readonly PlannedNode[], subflow: string): string {
  const byInterfaces = hosts.toSorted((one, other) => other.interfaces.length - one.interfaces.length);
  const addresses = new Set(subflow.split(/:\d+(?:-|$)/));
  for (const { interfaces } of byInterfaces) {
    const found = interfaces.find(({ address }) => addresses.has(address) || addresses.has(`[${address}]`));
    if (found !== undefined) return found.link;
  }
  return "unknown";
}
