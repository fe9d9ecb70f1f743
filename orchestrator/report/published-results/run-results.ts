/** What the two sides of a run's transfers said, read from its bundle: of the experiment itself, or of one of its baselines. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { flowSchema, type FlowRecord, resultsSchema, type WorkloadOutcome } from "../../bundle/records.ts";
import { fairness } from "../../verdict/measure-traffic.ts";

export class RunResults {
  readonly #directory: string;
  readonly #outcomes: readonly WorkloadOutcome[];

  /** @param baseline left out: the experiment itself */
  constructor(bundle: string, baseline?: string) {
    this.#directory = baseline === undefined ? bundle : join(bundle, "baselines", baseline);
    const text = readFileSync(join(this.#directory, "results.json"), "utf8");
    this.#outcomes = resultsSchema.parse(JSON.parse(text)).workloads;
  }

  /** Mbit/s of payload, from the connection on to the last byte; of a transfer that never ended, undefined. */
  goodput(workload: string): number | undefined {
    const receiver = this.#receiver(workload);
    if (receiver === undefined) return undefined;
    return (receiver.bytes * 8) / (receiver.lastByteAt - receiver.connectedAt);
  }

  /** Seconds. */
  longestGap(workload: string): number | undefined {
    const { client, server } = this.#outcome(workload);
    const result = [client, server].find((side) => side?.kind === "receiver" || side?.kind === "requester");
    return result === undefined || !("longestGapMicroseconds" in result)
      ? undefined
      : result.longestGapMicroseconds / 1e6;
  }

  /** Seconds from the run's beginning to the last byte. */
  completion(workload: string): number | undefined {
    const receiver = this.#receiver(workload);
    return receiver === undefined ? undefined : receiver.lastByteAt / 1e6;
  }

  /** Milliseconds, each of a request. */
  latencies(workload: string): readonly number[] {
    const { client } = this.#outcome(workload);
    return client?.kind === "requester" ? client.latenciesMicroseconds.map((latency) => latency / 1e3) : [];
  }

  /** Mbit/s of each flow of a traffic; 0 of one that never got anything. */
  goodputs(traffic: string): readonly number[] {
    return this.#outcomes
      .filter(({ workload }) => workload.replace(/-\d+$/, "") === traffic)
      .map(({ workload }) => this.goodput(workload) ?? 0);
  }

  /** Jain's index of a traffic's flows. */
  fairness(traffic: string): number {
    return fairness(this.goodputs(traffic));
  }

  get flows(): readonly FlowRecord[] {
    const lines = readFileSync(join(this.#directory, "flows.ndjson"), "utf8").trimEnd().split("\n");
    return lines.map((line) => flowSchema.parse(JSON.parse(line)));
  }

  #outcome(workload: string): WorkloadOutcome {
    const outcome = this.#outcomes.find((one) => one.workload === workload);
    if (outcome === undefined) throw new Error(`${this.#directory}: no workload ${workload}`);
    return outcome;
  }

  #receiver(workload: string) {
    const { client, server } = this.#outcome(workload);
    return [client, server].find((side) => side?.kind === "receiver");
  }
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function deviation(values: readonly number[]): number {
  const average = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - average) ** 2)));
}
