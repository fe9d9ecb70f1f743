/** A run of a few seconds over WiFi and 3G, for tests that need the real thing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EndpointKind, SubstrateName } from "../model/experiment.ts";
import type { AddressFamily } from "../model/ip-address.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import type { JournalOptions } from "../journal/journal.ts";
import { substrateNamed } from "../substrate/substrates.ts";
import { runExperiment } from "./run-experiment.ts";
import type { ExperimentOutcome } from "./run-experiment.ts";
import { untilBenchHolds } from "./valid-bench.fixture.ts";

const topologies = {
  ipv4: fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url)),
  ipv6: fileURLToPath(new URL("../../topologies/wifi-3g-ipv6.yaml", import.meta.url)),
  mixed: fileURLToPath(new URL("../../topologies/wifi-3g-mixed.yaml", import.meta.url)),
};

export interface RealRun {
  readonly substrate: Exclude<SubstrateName, "simulation">;
  readonly signal?: AbortSignal;
  readonly journal?: JournalOptions;
  /** Default: below the experiment file's folder. */
  readonly resultsDirectory?: string;
  readonly progress?: (message: string) => void;
}

export interface ShortRun extends RealRun {
  readonly client?: EndpointKind;
  readonly server?: EndpointKind;
  /** Default: ipv4. */
  readonly addressing?: keyof typeof topologies;
  /** Of the address that the phone connects to. */
  readonly family?: AddressFamily;
  readonly size?: string;
}

/** A folder for the experiment file and for bundles; to be removed by its maker. */
export function makeDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "pathlab-run-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function runShortly(directory: string, run: ShortRun): Promise<ExperimentOutcome> {
  return await runText(directory, shortExperiment(run), run);
}

/** Runs an experiment that is written into `directory`. */
export async function runText(directory: string, text: string, run: RealRun): Promise<ExperimentOutcome> {
  const file = join(directory, "experiment.yaml");
  writeFileSync(file, text);
  const loaded = loadExperiment(file);
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  const substrate = await substrateNamed(run.substrate);
  return untilBenchHolds(() =>
    runExperiment({
      loaded: loaded.value,
      substrate,
      seed: 1,
      abilities: { netem: false },
      resultsDirectory: run.resultsDirectory ?? join(directory, "results"),
      command: ["run"],
      progress: run.progress ?? ((): void => undefined),
      signal: run.signal ?? new AbortController().signal,
      ...(run.journal === undefined ? {} : { journal: run.journal }),
    }),
  );
}

function shortExperiment(run: ShortRun): string {
  const family = run.family === undefined ? "" : `, family: ${run.family}`;
  return `
version: 1
name: short
topology: ${topologies[run.addressing ?? "ipv4"]}
hosts:
  phone: { endpoint: ${run.client ?? "pathlab"} }
  server: { endpoint: ${run.server ?? "pathlab"} }
workload:
  download: { kind: bulk, from: server, to: phone, size: ${run.size ?? "3MB"}${family} }
expect:
  download: { intact: true }
`;
}
