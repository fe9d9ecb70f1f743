/**
 * The layout of a bundle: file names are a promise with a schema version (`manifest.json` names it). A baseline's run is a complete bundle of its own
 * under `baselines/<name>/`; the manifest at the top hashes all of it.
 */
import { join } from "node:path";

export const bundleSchemaVersion = 1;

export const bundleFiles = {
  manifest: "manifest.json",
  experiment: "experiment.yaml",
  topology: "topology.yaml",
  plan: "plan.json",
  events: "events.ndjson",
  metrics: "metrics.ndjson",
  links: "links.json",
  results: "results.json",
  flows: "flows.ndjson",
  counters: "counters.json",
  capture: "capture.pcapng",
  /** What the judge read out of the capture. */
  wire: "wire.json",
  verdict: "verdict.json",
  junit: "junit.xml",
  report: "report.html",
  /** `<host>.sqlog`: each decision of a host that was traced, as qlog. */
  qlog: "qlog",
  logs: "logs",
  baselines: "baselines",
} as const;

/** Made from the rest of the bundle, and made again by `pathlab report`: the pages, and with them the manifests of baselines. */
export function isDerivedFile(name: string): boolean {
  return /^(baselines\/[^/]+\/)?report\.html$|^baselines\/[^/]+\/manifest\.json$/.test(name);
}

/** `results/<experiment>/<time>-<id>`: the time in UTC, in a form that sorts and that every file system takes. */
export function bundleDirectory(resultsDirectory: string, experiment: string, startedAt: Date, id: string): string {
  const time = startedAt.toISOString().slice(0, 19).replaceAll(":", "").replaceAll("-", "");
  return join(resultsDirectory, experiment, `${time}Z-${id}`);
}
