/** One plan in virtual time, observed as `single-run.ts` observes a lab: the same records, the same bundle, but no machine to measure. */
import { bundleFiles } from "../bundle/layout.ts";
import type { BundleWriter } from "../bundle/bundle-writer.ts";
import type { LinksRecord } from "../bundle/records.ts";
import { LinkRates } from "../metrics/link-rates.ts";
import type { Plan } from "../plan/plan.ts";
import type { LinkQuality } from "../substrate/substrate.ts";
import { Simulation } from "../substrate/simulation/simulation.ts";
import { RunRecorder, workloadNames } from "./run-recorder.ts";
import type { SingleRunRecord } from "./single-run.ts";

export interface SimulatedRunOptions {
  /** Of the substrate `simulation`. */
  readonly plan: Plan;
  readonly bundle: BundleWriter;
  readonly progress: (message: string) => void;
  readonly signal: AbortSignal;
}

/** The lab of every simulation: its name is part of the hardware addresses, which are to be the same every time. */
export const simulatedLab = "0000";

export async function performSimulation({
  plan,
  bundle,
  progress,
  signal,
}: SimulatedRunOptions): Promise<SingleRunRecord> {
  const simulation = new Simulation(plan);
  const recorder = new RunRecorder({ plan, bundle, progress, now: () => simulation.now });
  const linkRates = new LinkRates(0);
  const abandon = new AbortController();
  void bundle.failure.then((failure) => abandon.abort(failure));
  progress(`simulating ${workloadNames(plan)}`);
  const startedAt = performance.now();
  let error: Error | undefined;
  try {
    await simulation.run({
      sink: {
        event(event) {
          if (event.source === "fault" || event.source === "lab") progress(event.message);
          recorder.event(event);
        },
        sample: (sample) => recorder.sample(sample),
        stackEvent: (host, event) => recorder.stackEvent(host, event),
        result: (workload, role, result) => recorder.result(workload, role, result),
        connection: (workload, host, subflows) => recorder.connection(workload, host, subflows),
        failure: (failure) => recorder.failure(failure),
        linkSample(sample) {
          const metric = linkRates.next(sample);
          if (metric !== undefined) recorder.sample(metric);
        },
      },
      ...(plan.capture.enabled && { captureFile: bundle.path(bundleFiles.capture) }),
      signal: AbortSignal.any([signal, abandon.signal]),
    });
    const seconds = (performance.now() - startedAt) / 1000;
    progress(
      `${(simulation.now / 1e6).toFixed(1)} s of virtual time in ${seconds.toFixed(1)} s, ${simulation.events} events`,
    );
  } catch (caught) {
    error = caught as Error;
  }
  const links: LinksRecord = { measurements: [], quality: exactLinks, loads: linkRates.totals() };
  const { results } = recorder;
  const writes = await Promise.allSettled([
    bundle.writeJson(bundleFiles.links, links),
    bundle.writeJson(bundleFiles.results, results),
    bundle.writeLines(bundleFiles.flows, recorder.flows),
    bundle.writeJson(bundleFiles.counters, {}),
    bundle.flush(),
  ]);
  for (const write of writes) if (write.status === "rejected") error ??= write.reason as Error;
  return {
    ended: recorder.ended(error, signal),
    ...(error === undefined ? {} : { error }),
    zeroEpochMicroseconds: 0,
    endedAtMicroseconds: simulation.now,
    results,
    links,
    counters: {},
  };
}

/** There is nothing to measure: every packet leaves at the very time that the elements compute. */
const exactLinks: LinkQuality = {
  realisation: "simulated",
  scheduling: "virtual time",
  releases: 0,
  latenessMicroseconds: { p50: 0, p99: 0, max: 0 },
};
