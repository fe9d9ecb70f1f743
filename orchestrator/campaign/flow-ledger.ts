/** What each transfer came to: who, when, how much, over which subflows and links. Made of what its endpoints said of it, by the end of a run. */
import type { SubflowMetrics } from "../../stack/endpoint/protocol.ts";
import type { FlowRecord, WorkloadOutcome } from "../bundle/records.ts";
import { FlowPaths } from "../plan/flow-paths.ts";
import type { Plan, PlannedWorkload } from "../plan/plan.ts";

export class FlowLedger {
  readonly #plan: Plan;
  readonly #senders: ReadonlyMap<string, string>;
  /** By workload, then by the subflow's id: as its sender last knew it. */
  readonly #subflows = new Map<string, Map<string, SubflowMetrics>>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#senders = new Map(plan.workloads.map((workload) => [workload.name, endsOf(workload).from]));
  }

  /** A sample of a workload's connection on a host. */
  sampled(workload: string, host: string, subflows: readonly SubflowMetrics[]): void {
    if (this.#senders.get(workload) !== host) return;
    const known = this.#subflows.get(workload) ?? new Map<string, SubflowMetrics>();
    for (const subflow of subflows) known.set(subflow.id, subflow);
    this.#subflows.set(workload, known);
  }

  records(outcomes: readonly WorkloadOutcome[]): FlowRecord[] {
    const paths = new FlowPaths(this.#plan);
    const byName = new Map(outcomes.map((outcome) => [outcome.workload, outcome]));
    return this.#plan.workloads.map((workload) => this.#record(workload, byName.get(workload.name), paths));
  }

  #record(workload: PlannedWorkload, outcome: WorkloadOutcome | undefined, paths: FlowPaths): FlowRecord {
    const sides = [outcome?.client, outcome?.server];
    const receiver = sides.find((side) => side?.kind === "receiver");
    const requester = sides.find((side) => side?.kind === "requester");
    const [error] = outcome?.errors ?? [];
    const subflows = [...(this.#subflows.get(workload.name)?.values() ?? [])].map(
      ({ id, bytesAcked, retransmissions, reinjections }) => {
        const links = paths.linksOf(id);
        return {
          id,
          ...(links !== undefined && { links }),
          bytesAcked,
          retransmissions,
          ...(reinjections !== undefined && { reinjections }),
        };
      },
    );
    const connectedAt = receiver?.connectedAt ?? requester?.connectedAt;
    return {
      flow: workload.name,
      ...(workload.kind === "bulk" && workload.traffic !== undefined && { traffic: workload.traffic }),
      kind: workload.kind,
      ...endsOf(workload),
      startAt: workload.startMicroseconds,
      ...(connectedAt !== undefined && { connectedAt }),
      ...(receiver !== undefined && { endAt: receiver.lastByteAt }),
      ...(receiver !== undefined && { bytes: receiver.bytes }),
      ...(error !== undefined && { error: error.code }),
      retransmissions: subflows.reduce((total, { retransmissions }) => total + retransmissions, 0),
      subflows,
    };
  }
}

/** Of a request and its response the response counts. */
function endsOf(workload: PlannedWorkload): { readonly from: string; readonly to: string } {
  return workload.kind === "request-response"
    ? { from: workload.server, to: workload.client }
    : { from: workload.from, to: workload.to };
}
