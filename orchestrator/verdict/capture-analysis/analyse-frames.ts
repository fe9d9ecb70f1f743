/** The capture, read once from beginning to end, becomes what the judge knows of the wire. */
import type { Plan } from "../../plan/plan.ts";
import { subflowPaths } from "../../workload/subflow-path.ts";
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

export type CaptureLosses = Pick<WireAnalysis["capture"], "lostFrames" | "damage">;

export const binMicroseconds = 50_000;

/** `zeroEpochMicroseconds`: the run's zero on the capture's clock. `losses` is asked when the last frame has been read. */
export async function analyseFrames(
  frames: Iterable<WireFrame> | AsyncIterable<WireFrame>,
  plan: Plan,
  zeroEpochMicroseconds: number,
  losses: () => CaptureLosses,
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
  const pathOf = subflowPaths(plan);
  return {
    schemaVersion: 1,
    capture: { frames: frameCount, tcpFrames, ...losses() },
    binMicroseconds,
    connections: plan.workloads.flatMap((workload) =>
      mergeVantages(workload, vantages, (subflow) => pathOf(subflow) ?? "unknown"),
    ),
  };
}
