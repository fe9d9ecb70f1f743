/** One plan on one substrate: up, measure, capture, run, down; everything that was observed goes into the bundle as it happens. */
import { setTimeout as pause } from "node:timers/promises";
import type { BundleWriter } from "../bundle/bundle-writer.ts";
import type { RunRecord } from "../bundle/manifest.ts";
import { bundleFiles } from "../bundle/layout.ts";
import type { CountersRecord, LinksRecord, ResultsRecord } from "../bundle/records.ts";
import { monotonicClock } from "../fault/monotonic-clock.ts";
import { runFaults } from "../fault/fault-timeline.ts";
import type { Journal } from "../journal/journal.ts";
import { kernelCounterDifference, readKernelCounters } from "../metrics/kernel-counters.ts";
import type { KernelCounters } from "../metrics/kernel-counters.ts";
import { LinkRates } from "../metrics/link-rates.ts";
import { isOfOurStack } from "../model/experiment.ts";
import type { Plan } from "../plan/plan.ts";
import { programFile, videoCache } from "../substrate/prerequisites/programs.ts";
import type { Lab, LinkQuality, Substrate } from "../substrate/substrate.ts";
import { startEndpoints } from "../workload/run-workloads.ts";
import type { Endpoints } from "../workload/run-workloads.ts";
import { CaptureSession } from "./capture-session.ts";
import { measureLinks } from "./measure-links.ts";
import { RunRecorder, workloadNames } from "./run-recorder.ts";

export interface SingleRunOptions {
  readonly plan: Plan;
  readonly substrate: Substrate;
  readonly journal: Journal;
  readonly bundle: BundleWriter;
  readonly progress: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface SingleRunRecord {
  readonly ended: RunRecord["ended"];
  /** What ended it, where it did not end by itself. */
  readonly error?: Error;
  readonly zeroEpochMicroseconds: number;
  readonly endedAtMicroseconds: number;
  readonly results: ResultsRecord;
  readonly links: LinksRecord;
  readonly counters: CountersRecord;
}

/** From the command to the zero of the run: long enough that every endpoint has it before its time comes. */
const leadMicroseconds = 300_000;
/** After the last workload: closing handshakes belong into the capture. */
const trailMilliseconds = 300;

export async function performRun(options: SingleRunOptions): Promise<SingleRunRecord> {
  const run = new SingleRun(options);
  return run.perform();
}

class SingleRun {
  readonly #options: SingleRunOptions;
  readonly #recorder: RunRecorder;
  #zero = 0;
  #zeroEpoch = 0;
  #measurements: LinksRecord["measurements"] = [];
  #quality: LinkQuality | undefined;
  #countersBefore: ReadonlyMap<string, KernelCounters> = new Map();
  #counters: CountersRecord = {};
  #linkRates: LinkRates | undefined;

  constructor(options: SingleRunOptions) {
    this.#options = options;
    const { plan, bundle, progress } = options;
    this.#recorder = new RunRecorder({
      plan,
      bundle,
      progress,
      now: () => (this.#zero === 0 ? 0 : monotonicClock.now() - this.#zero),
    });
  }

  async perform(): Promise<SingleRunRecord> {
    const { bundle, journal, signal } = this.#options;
    let error: Error | undefined;
    let lab: Lab | undefined;
    try {
      lab = await this.#up();
      await this.#withLab(lab);
    } catch (caught) {
      error = caught as Error;
    } finally {
      await lab?.down();
      journal.remove();
    }
    const endedAtMicroseconds = this.#zero === 0 ? 0 : monotonicClock.now() - this.#zero;
    const links: LinksRecord = {
      measurements: this.#measurements,
      ...(this.#quality === undefined ? {} : { quality: this.#quality }),
      ...(this.#linkRates === undefined ? {} : { loads: this.#linkRates.totals() }),
    };
    const { results } = this.#recorder;
    // A disk that is full says so in `error` already; the seal tells what there is.
    const writes = await Promise.allSettled([
      bundle.writeJson(bundleFiles.links, links),
      bundle.writeJson(bundleFiles.results, results),
      bundle.writeLines(bundleFiles.flows, this.#recorder.flows),
      bundle.writeJson(bundleFiles.counters, this.#counters),
    ]);
    for (const write of writes) if (write.status === "rejected") error ??= write.reason as Error;
    return {
      ended: this.#recorder.ended(error, signal),
      ...(error === undefined ? {} : { error }),
      zeroEpochMicroseconds: this.#zeroEpoch,
      endedAtMicroseconds,
      results,
      links,
      counters: this.#counters,
    };
  }

  async #up(): Promise<Lab> {
    const { plan, substrate, journal, progress, signal } = this.#options;
    const observer = {
      progress,
      problem: (source: string, message: string) => {
        progress(`${source}: ${message}`);
        this.#recorder.labEvent(source, "lab:problem", message);
      },
      linkSample: (sample: Parameters<LinkRates["next"]>[0]) => {
        const metric = this.#linkRates?.next(sample);
        if (metric !== undefined) this.#options.bundle.metric(metric);
      },
    };
    return substrate.up(plan, journal, observer, signal);
  }

  async #withLab(lab: Lab): Promise<void> {
    const { plan, bundle, progress, signal } = this.#options;
    if (plan.links.some(({ measured }) => measured)) progress("measuring the links");
    this.#measurements = await measureLinks(lab, signal);

    const capture = plan.capture.enabled
      ? await CaptureSession.start(lab, bundle.path(bundleFiles.capture), signal)
      : undefined;
    let endpoints: Endpoints | undefined;
    const abandon = new AbortController();
    void capture?.failed.then((error) => abandon.abort(error));
    void bundle.failure.then((error) => abandon.abort(error));
    const whileObserved = AbortSignal.any([signal, abandon.signal]);
    try {
      progress("starting the endpoints");
      endpoints = await startEndpoints(
        lab,
        { node: process.execPath, endpoint: programFile("endpoint"), videoCache },
        whileObserved,
      );
      this.#countersBefore = await this.#readCounters(lab);
      await this.#run(lab, endpoints, whileObserved);
      await pause(trailMilliseconds, undefined, { signal: whileObserved });
    } finally {
      await this.#conclude(lab, endpoints, capture);
    }
  }

  async #run(lab: Lab, endpoints: Endpoints, signal: AbortSignal): Promise<void> {
    const { plan, progress } = this.#options;
    this.#zero = monotonicClock.now() + leadMicroseconds;
    this.#zeroEpoch =
      Math.round((performance.timeOrigin + performance.now()) * 1000) + (this.#zero - monotonicClock.now());
    this.#linkRates = new LinkRates(this.#zero);
    await lab.links.sampleEvery(plan.metricsIntervalMicroseconds);
    progress(`running ${workloadNames(plan)}`);
    if (plan.links.some(({ forward, backward }) => forward.trace ?? backward.trace))
      await lab.links.beginTraces(this.#zero);
    const over = new AbortController();
    const untilOver = AbortSignal.any([signal, over.signal]);
    const faults = runFaults({
      faults: plan.faults,
      lab,
      clock: monotonicClock,
      zero: this.#zero,
      signal: untilOver,
      onEvent: (event) => {
        progress(event.message);
        this.#options.bundle.event(event);
      },
    });
    const workloads = endpoints.run(this.#zero, this.#recorder, untilOver);
    try {
      // A fault that cannot be done ends the run: what it would measure is not what was asked for.
      await Promise.race([workloads, faults.then(() => workloads)]);
    } finally {
      over.abort(new Error("the run is over"));
      await Promise.allSettled([faults, workloads]);
    }
  }

  /** Reads what only a living lab can tell and ends what observes it; the first failure is thrown when all of it was tried. */
  async #conclude(lab: Lab, endpoints: Endpoints | undefined, capture: CaptureSession | undefined): Promise<void> {
    const { bundle } = this.#options;
    const outcomes = await Promise.allSettled([
      (async () => {
        // The last sample: what links carried since the one before counts, too.
        await lab.links.sampleEvery(0);
        this.#quality = await lab.links.quality();
      })(),
      (async () => {
        const after = await this.#readCounters(lab);
        this.#counters = Object.fromEntries(
          [...after].map(([node, counters]) => [
            node,
            kernelCounterDifference(this.#countersBefore.get(node) ?? {}, counters),
          ]),
        );
      })(),
      endpoints?.stop(),
    ]);
    outcomes.push(...(await Promise.allSettled([capture?.stop()])));
    const logs = { ...endpoints?.logs, ...(capture === undefined ? {} : { capture: capture.stderrTail }) };
    for (const [name, text] of Object.entries(logs)) {
      if (text !== "")
        outcomes.push(...(await Promise.allSettled([bundle.writeText(`${bundleFiles.logs}/${name}.log`, text)])));
    }
    outcomes.push(...(await Promise.allSettled([bundle.flush()])));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Of hosts that the kernel speaks for. */
  async #readCounters(lab: Lab): Promise<ReadonlyMap<string, KernelCounters>> {
    const hosts = lab.plan.nodes.filter(({ endpoint }) => endpoint !== undefined && !isOfOurStack(endpoint.kind));
    return new Map(
      await Promise.all(
        hosts.map(
          async ({ name }) => [name, await readKernelCounters(lab.networkNamespace(name))] as [string, KernelCounters],
        ),
      ),
    );
  }
}
