/** Experiments run in virtual time, and what came of them: figures for a test to look at, and the hash of everything that was observed. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReceiverResult, WorkloadResult } from "../../../stack/endpoint/protocol.ts";
import type { LinkSample } from "../../metrics/link-sample.ts";
import type { MetricSample } from "../../metrics/metric-sample.ts";
import type { TimelineEvent } from "../../metrics/timeline-event.ts";
import type { Plan } from "../../plan/plan.ts";
import type { WorkloadFailure } from "../../workload/run-workloads.ts";
import { Simulation } from "./simulation.ts";

export interface Observed {
  readonly events: readonly TimelineEvent[];
  readonly samples: readonly MetricSample[];
  readonly linkSamples: readonly LinkSample[];
  /** By workload and role: `download client`. */
  readonly results: Readonly<Record<string, WorkloadResult>>;
  readonly failures: readonly WorkloadFailure[];
  readonly capture: Buffer;
  readonly endedAtMicroseconds: number;
  /** Hexadecimal SHA-256 of each. */
  readonly fingerprints: Readonly<Record<"capture" | "metrics" | "events" | "results", string>>;
}

export async function observe(plan: Plan, signal: AbortSignal = new AbortController().signal): Promise<Observed> {
  const events: TimelineEvent[] = [];
  const samples: MetricSample[] = [];
  const linkSamples: LinkSample[] = [];
  const results: Record<string, WorkloadResult> = {};
  const failures: WorkloadFailure[] = [];
  const directory = mkdtempSync(join(tmpdir(), "pathlab-simulation-test-"));
  const captureFile = join(directory, "capture.pcapng");
  try {
    const simulation = new Simulation(plan);
    await simulation.run({
      sink: {
        event: (event) => events.push(event),
        sample: (sample) => samples.push(sample),
        stackEvent: () => undefined,
        linkSample: (sample) => linkSamples.push(sample),
        result(workload, role, result) {
          if (result.kind !== "program") results[`${workload} ${role}`] = result;
        },
        connection: () => undefined,
        failure: (failure) => failures.push(failure),
      },
      captureFile,
      signal,
    });
    const capture = readFileSync(captureFile);
    return {
      events,
      samples,
      linkSamples,
      results,
      failures,
      capture,
      endedAtMicroseconds: simulation.now,
      fingerprints: {
        capture: sha256(capture),
        metrics: sha256(JSON.stringify([samples, linkSamples])),
        // What happened, not how it is worded.
        events: sha256(JSON.stringify(events, (key, value: unknown) => (key === "message" ? undefined : value))),
        results: sha256(JSON.stringify([results, failures])),
      },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function receiverOf(observed: Observed, side: string): ReceiverResult {
  const result = observed.results[side];
  if (result?.kind !== "receiver")
    throw new Error(`${side} has received nothing: ${JSON.stringify(observed.failures)}`);
  return result;
}

/** From the connection to the last byte. */
export function megabitsPerSecond({ bytes, connectedAt, lastByteAt }: ReceiverResult): number {
  return (bytes * 8) / (lastByteAt - connectedAt);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
