/** What a reader of the verdict should know beside the expectations: witnesses that contradict each other, and counters that ought to stand still. */
import type { CountersRecord } from "../bundle/records.ts";
import { assertKernelTraps } from "../metrics/kernel-counters.ts";
import { goodputOf } from "./goodput.ts";
import type { Plan, PlannedWorkload } from "../plan/plan.ts";
import type { WireAnalysis, WireConnection } from "./capture-analysis/wire-analysis.ts";
import { deliveredDirection, deliveredStream, receivingSide } from "./measure-workload.ts";
import type { WorkloadWitnesses } from "./measure-workload.ts";
import { printMoment, printPercent, printRate, printSize, printTime } from "./quantity.ts";

/** The wire and the application count from slightly different moments; more than this is no matter of moments. */
const reasonable = { rateShare: 0.05, gapMicroseconds: 200_000, duplicateShare: 0.1 } as const;

/** Where the receiver's word differs from what its own interface saw. */
export function findContradictions({ workload, outcome, wire }: WorkloadWitnesses): string[] {
  const result = outcome?.[receivingSide(workload)];
  const connections = wire?.connections.filter((connection) => connection.workload === workload.name) ?? [];
  const [stream, ...others] = connections.map((connection) => deliveredStream(workload, connection));
  if (result?.kind !== "receiver" || stream === undefined || others.length > 0) return [];
  const findings: string[] = [];
  if (result.bytes !== stream.bytes) {
    findings.push(
      `${workload.name}: the application says ${result.bytes} bytes, the capture shows ${stream.bytes} in order`,
    );
  }
  const claimed = goodputOf(result.bytes, result.connectedAt, result.lastByteAt);
  const seen = stream.goodputBitsPerSecond;
  if (seen !== undefined && claimed !== undefined && Math.abs(claimed / seen - 1) > reasonable.rateShare) {
    findings.push(
      `${workload.name}: the application's goodput is ${printRate(claimed)}, the capture's ${printRate(seen)}`,
    );
  }
  if (Math.abs(result.longestGapMicroseconds - stream.longestGapMicroseconds) > reasonable.gapMicroseconds) {
    const [said, shown] = [result.longestGapMicroseconds, stream.longestGapMicroseconds].map(printTime);
    findings.push(`${workload.name}: the application's longest gap is ${said}, the capture's ${shown}`);
  }
  return findings;
}

export function findOnWire(wire: WireAnalysis | undefined, plan: Plan): string[] {
  return (wire?.connections ?? []).flatMap((connection) => {
    const { workload: name, fallback } = connection;
    const workload = plan.workloads.find((candidate) => candidate.name === name);
    const findings: string[] = [];
    if (fallback !== undefined)
      findings.push(
        `${name}: fell back to TCP at ${printMoment(fallback.at)}: ${fallback.reason} (seen at ${fallback.host})`,
      );
    if (workload !== undefined) findings.push(...findDuplicates(workload, connection));
    for (const subflow of connection.subflows) {
      const which = `${name}: subflow ${subflow.id} over ${subflow.path}`;
      if (subflow.authenticated === false) findings.push(`${which}: an HMAC of its MP_JOIN is wrong`);
      if (!subflow.established) findings.push(`${which}: never established`);
      else if (workload !== undefined && !subflow.backup && deliveredDirection(workload, subflow).payloadBytes === 0) {
        findings.push(`${which}: established, but no payload arrived over it`);
      }
      if (subflow.closedBy === "reset") findings.push(`${which}: reset at ${printMoment(subflow.closedAt ?? NaN)}`);
    }
    return findings;
  });
}

/** Re-injection is for what is lost or late; when so much comes twice, paths carry what nobody needs. */
function findDuplicates(workload: PlannedWorkload, connection: WireConnection): string[] {
  const { bytes, bytesBehindHole } = deliveredStream(workload, connection);
  const arrived = connection.subflows.reduce(
    (sum, subflow) => sum + deliveredDirection(workload, subflow).payloadBytes,
    0,
  );
  const twice = arrived - bytes - bytesBehindHole;
  if (twice <= reasonable.duplicateShare * bytes) return [];
  return [
    `${workload.name}: ${printSize(twice)} (${printPercent(twice / bytes)}) of its payload arrived over a second subflow too`,
  ];
}

/** Counters that show an error of the protocol, or a kernel that has given MPTCP up. */
export function findInCounters(counters: CountersRecord): string[] {
  return Object.entries(counters).flatMap(([node, moved]) =>
    assertKernelTraps(moved).map(({ counter, value, meaning }) => `${node}: ${meaning} (${counter} rose by ${value})`),
  );
}
