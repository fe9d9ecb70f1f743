/** An experiment with its baselines, one after the other, into one bundle with one verdict. */
import type { BundleWriter, ManifestContent } from "../bundle/bundle-writer.ts";
import { BundleWriter as Bundle } from "../bundle/bundle-writer.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { describeMachine } from "../bundle/provenance.ts";
import { Journal } from "../journal/journal.ts";
import type { JournalOptions } from "../journal/journal.ts";
import { type Checked, formatDiagnostics } from "../model/diagnostics.ts";
import type { CheckedExperiment } from "../model/checked-experiment.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import type { MachineAbilities } from "../plan/link-realisation.ts";
import type { Plan } from "../plan/plan.ts";
import { renderReport } from "../report/render-report.ts";
import type { Substrate } from "../substrate/substrate.ts";
import { analyseCapture } from "../verdict/capture-analysis/analyse-capture.ts";
import type { WireAnalysis } from "../verdict/capture-analysis/wire-analysis.ts";
import { joinVerdicts, judge } from "../verdict/judge.ts";
import { writeJUnit } from "../verdict/junit.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { simulatedBaseline } from "./simulated-baseline.ts";
import { performSimulation, simulatedLab } from "./simulated-run.ts";
import { performRun } from "./single-run.ts";
import type { SingleRunRecord } from "./single-run.ts";

export interface ExperimentRequest {
  readonly loaded: LoadedExperiment;
  /** The simulation needs no lab: neither journal nor abilities of the machine count for it. */
  readonly substrate: Substrate | "simulation";
  readonly seed: number;
  readonly abilities: MachineAbilities;
  /** Bundles are made below it. */
  readonly resultsDirectory: string;
  /** The arguments of `pathlab`, for the manifest. */
  readonly command: readonly string[];
  readonly progress: (message: string) => void;
  readonly signal: AbortSignal;
  readonly journal?: JournalOptions;
}

export interface ExperimentOutcome {
  readonly directory: string;
  /** Of experiment and baselines together. */
  readonly verdict: Verdict;
  /** What ended it before its time; the bundle holds what was measured until then. */
  readonly error?: Error;
}

/** What is run: the experiment as it stands in the file, or one of its baselines. */
interface Part {
  readonly baseline?: string;
  readonly loaded: CheckedExperiment;
}

export interface PerformedPart {
  readonly plan: Plan;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly record: SingleRunRecord;
  readonly verdict: Verdict;
}

/** A plan that cannot be made is the caller's to refuse beforehand: `planExperiment` says why. */
export async function runExperiment(request: ExperimentRequest): Promise<ExperimentOutcome> {
  const { loaded } = request;
  const bundle = await Bundle.create(request.resultsDirectory, {
    experiment: loaded.experiment.name,
    startedAt: new Date(),
  });
  const main = await performPart(request, { loaded }, bundle);
  const verdicts: Record<string, Verdict> = {};
  const notes: string[] = [];
  let error = main.record.error;
  for (const baseline of loaded.baselines) {
    if (error !== undefined) break;
    const { loaded: simulated, replaced } =
      request.substrate === "simulation" ? simulatedBaseline(baseline) : { loaded: baseline, replaced: [] };
    const refusal = simulationRefusal(request, simulated);
    if (refusal !== undefined) {
      notes.push(`baseline ${baseline.name} is left out: ${refusal}`);
      request.progress(notes.at(-1)!);
      continue;
    }
    request.progress(`baseline ${baseline.name}`);
    if (replaced.length > 0)
      notes.push(`baseline ${baseline.name}: pathlab-tcp stands for linux-tcp on ${replaced.join(" and ")}`);
    const part = await bundle.baseline(baseline.name);
    const performed = await performPart(request, { baseline: baseline.name, loaded: simulated }, part);
    verdicts[baseline.name] = performed.verdict;
    error = await conclude(request, part, performed, performed.verdict);
  }
  const joined = joinVerdicts(main.verdict, verdicts);
  const verdict = { ...joined, findings: [...joined.findings, ...notes] };
  const concluded = await conclude(request, bundle, main, verdict);
  error ??= concluded;
  return { directory: bundle.directory, verdict, ...(error === undefined ? {} : { error }) };
}

/** The experiment without its baselines, judged, and nothing is kept: for one who wants to know how it comes out, many times over. */
export async function performAlone(request: ExperimentRequest): Promise<PerformedPart> {
  const bundle = await Bundle.create(request.resultsDirectory, {
    experiment: request.loaded.experiment.name,
    startedAt: new Date(),
  });
  try {
    return await performPart(request, { loaded: request.loaded }, bundle);
  } finally {
    await bundle.discard();
  }
}

async function performPart(request: ExperimentRequest, part: Part, bundle: BundleWriter): Promise<PerformedPart> {
  const { plan, perform } = prepare(request, part);
  const startedAt = new Date();
  // As resolved: enough to run it again from the bundle alone.
  const resolved = part.loaded.textWith({
    topology: bundleFiles.topology,
    seed: plan.seed,
    ...(part.loaded.experiment.repeat > 1 && { repeat: 1 }),
    on: plan.substrate,
  });
  await bundle.writeText(bundleFiles.experiment, resolved);
  await bundle.writeText(bundleFiles.topology, part.loaded.topology.text);
  for (const { name, text } of [...part.loaded.topology.files, ...part.loaded.modules])
    await bundle.writeText(name, text);
  await bundle.writeJson(bundleFiles.plan, plan);
  const record = await perform(bundle);
  const endedAt = new Date();
  request.progress("judging");
  const wire = await readWire(bundle, plan, record);
  const verdict = judge({
    plan,
    ended: record.ended,
    ...(record.error === undefined ? {} : { error: record.error.message }),
    endedAtMicroseconds: record.endedAtMicroseconds,
    results: record.results,
    links: record.links,
    counters: record.counters,
    ...(wire === undefined ? {} : { wire }),
  });
  return { plan, startedAt, endedAt, record, verdict };
}

interface PreparedPart {
  readonly plan: Plan;
  readonly perform: (bundle: BundleWriter) => Promise<SingleRunRecord>;
}

function prepare(request: ExperimentRequest, part: Part): PreparedPart {
  const { substrate, progress, signal } = request;
  if (substrate === "simulation") {
    const plan = planFor(request, part, simulatedLab);
    return { plan, perform: (bundle) => performSimulation({ plan, bundle, progress, signal }) };
  }
  const { name } = part.loaded.experiment;
  const journal = Journal.create({
    ...request.journal,
    title: part.baseline === undefined ? name : `${name}, baseline ${part.baseline}`,
  });
  try {
    const plan = planFor(request, part, journal.lab);
    return { plan, perform: (bundle) => performRun({ plan, substrate, journal, bundle, progress, signal }) };
  } catch (error) {
    journal.remove();
    throw error;
  }
}

function planFor(request: ExperimentRequest, part: Part, lab: string): Plan {
  const planned = planOn(request, part.loaded, lab);
  if (planned.ok) return planned.value;
  throw new Error(`the experiment cannot be planned:\n${formatDiagnostics(planned.diagnostics).trimEnd()}`);
}

/**
 * Why the simulation cannot carry a baseline: that it compares with a kernel shall keep nobody from simulating the experiment itself. Undefined where it can, and
 * on all other substrates.
 */
function simulationRefusal(request: ExperimentRequest, baseline: Part["loaded"]): string | undefined {
  if (request.substrate !== "simulation") return undefined;
  const planned = planOn(request, baseline, simulatedLab);
  if (planned.ok) return undefined;
  return [...new Set(planned.diagnostics.map(({ found, hint }) => `found ${found}: ${hint}`))].join("; ");
}

function planOn({ substrate, seed, abilities }: ExperimentRequest, loaded: Part["loaded"], lab: string): Checked<Plan> {
  return planExperiment(loaded, {
    substrate: substrate === "simulation" ? substrate : substrate.name,
    lab,
    seed,
    abilities,
  });
}

/** Undefined where nothing was captured: the run ended before, or was told not to. */
async function readWire(bundle: BundleWriter, plan: Plan, record: SingleRunRecord): Promise<WireAnalysis | undefined> {
  if (!plan.capture.enabled) return undefined;
  try {
    const wire = await analyseCapture(bundle.path(bundleFiles.capture), plan, record.zeroEpochMicroseconds);
    await bundle.writeJson(bundleFiles.wire, wire);
    return wire;
  } catch (error) {
    if (record.error === undefined) throw error;
    return undefined;
  }
}

/**
 * Writes the verdict, seals and renders. Answers what went wrong first, in the run or here: a disk that is full must not keep what is on it from being sealed.
 */
async function conclude(
  request: ExperimentRequest,
  bundle: BundleWriter,
  performed: PerformedPart,
  verdict: Verdict,
): Promise<Error | undefined> {
  let error = performed.record.error;
  try {
    await writeVerdict(bundle, performed, verdict);
  } catch (caught) {
    error ??= caught as Error;
  }
  await bundle.seal(await manifestContent(request, performed, verdict, error));
  try {
    await renderReport(bundle.directory);
  } catch (caught) {
    error ??= caught as Error;
  }
  return error;
}

async function writeVerdict(bundle: BundleWriter, performed: PerformedPart, verdict: Verdict): Promise<void> {
  const { plan, startedAt, endedAt, record } = performed;
  await bundle.writeJson(bundleFiles.verdict, verdict);
  await writeJUnit(bundle.path(bundleFiles.junit), verdict, {
    experiment: plan.experiment,
    // A simulation's own times are virtual, so that its files are the same every time.
    ...(plan.substrate === "simulation"
      ? { startedAt: new Date(0).toISOString(), durationMicroseconds: record.endedAtMicroseconds }
      : { startedAt: startedAt.toISOString(), durationMicroseconds: (endedAt.getTime() - startedAt.getTime()) * 1000 }),
  });
}

async function manifestContent(
  request: ExperimentRequest,
  { plan, startedAt, endedAt, record }: PerformedPart,
  verdict: Verdict,
  error: Error | undefined,
): Promise<ManifestContent> {
  return {
    command: [...request.command],
    substrate: plan.substrate,
    endpoints: Object.fromEntries(
      plan.nodes.flatMap(({ name, endpoint }) => (endpoint === undefined ? [] : [[name, endpoint.kind]])),
    ),
    seeds: {
      experiment: plan.seed,
      payload: Object.fromEntries(plan.workloads.map(({ name, payloadSeed }) => [name, payloadSeed])),
    },
    run: {
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      zeroEpochMicroseconds: Math.round(record.zeroEpochMicroseconds),
      ended: record.ended,
      ...(error === undefined ? {} : { error: error.message }),
    },
    machine: await describeMachine(),
    valid: verdict.outcome !== "invalid",
    outcome: verdict.outcome,
  };
}
