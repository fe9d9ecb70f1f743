/** All connections of the workloads as one host saw them on its interfaces. A middlebox between two hosts shows as a difference between their vantages. */
import { ConnectionTrace } from "./connection-trace.ts";
import type { TracedSubflow } from "./connection-trace.ts";
import { SubflowTrace } from "./subflow-trace.ts";
import type { TcpFrame } from "./tcp-frame.ts";

interface Flow {
  readonly initiatorKey: string;
  readonly trace: SubflowTrace;
  /** Undefined while the token of its MP_JOIN belongs to no connection that was seen. */
  connection: ConnectionTrace | undefined;
  subflow: TracedSubflow | undefined;
}

export class Vantage {
  readonly host: string;
  /** Ascending by the time of their first segment, with the workload's port. */
  readonly connections: { readonly port: number; readonly trace: ConnectionTrace }[] = [];
  readonly #workloadPorts: ReadonlySet<number>;
  readonly #binMicroseconds: number;
  /** By the key of either direction. */
  readonly #flows = new Map<string, Flow>();

  constructor(host: string, workloadPorts: ReadonlySet<number>, binMicroseconds: number) {
    this.host = host;
    this.#workloadPorts = workloadPorts;
    this.#binMicroseconds = binMicroseconds;
  }

  handleFrame(frame: TcpFrame, time: number): void {
    const flow = this.#flowOf(frame, time);
    if (flow === undefined) return;
    if (flow.subflow === undefined) this.#tryJoin(flow);
    const initiatorSends = frame.key === flow.initiatorKey;
    if (flow.connection !== undefined && flow.subflow !== undefined) {
      flow.connection.handleFrame(flow.subflow, frame, time, initiatorSends);
    } else {
      flow.trace.handleFrame(frame, time, initiatorSends);
      this.#tryJoin(flow);
    }
  }

  finish(): void {
    for (const { trace } of this.connections) trace.finish();
  }

  #flowOf(frame: TcpFrame, time: number): Flow | undefined {
    const known = this.#flows.get(frame.key);
    const isNewSyn = frame.syn && !frame.ack && known !== undefined && known.trace.initialSequence !== frame.sequence;
    if (known !== undefined && !(isNewSyn && known.trace.closedAt !== undefined)) return known;
    const joins = frame.mptcp.some((option) => option.subtype === "MP_JOIN");
    const toServer = this.#workloadPorts.has(frame.destinationPort);
    const toClient = this.#workloadPorts.has(frame.sourcePort);
    if (!joins && !toServer && !toClient) return undefined;
    if (frame.rst && !frame.syn) return undefined;
    const initiatorSends = frame.syn ? !frame.ack : toServer;
    const trace = new SubflowTrace(frame, time, initiatorSends, this.#binMicroseconds);
    const initiatorKey = initiatorSends ? frame.key : frame.reverseKey;
    const flow: Flow = { initiatorKey, trace, connection: undefined, subflow: undefined };
    if (!joins) {
      flow.connection = new ConnectionTrace(trace, this.#binMicroseconds);
      flow.subflow = flow.connection.subflows[0];
      this.connections.push({ port: toServer ? frame.destinationPort : frame.sourcePort, trace: flow.connection });
    }
    this.#flows.set(frame.key, flow);
    this.#flows.set(frame.reverseKey, flow);
    return flow;
  }

  #tryJoin(flow: Flow): void {
    const { syn } = flow.trace.handshake;
    if (flow.subflow !== undefined || syn?.subtype !== "MP_JOIN" || syn.form !== "syn") return;
    for (const { trace } of this.connections) {
      const owner = trace.ownerOfToken(syn.token);
      if (owner === undefined) continue;
      flow.connection = trace;
      flow.subflow = trace.join(flow.trace, owner === "server" ? "client" : "server");
      return;
    }
  }
}
