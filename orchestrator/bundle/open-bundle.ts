/** Reads a bundle, typed: every file is checked against its schema when it is read, and what does not fit is told with file and place. */
import { createReadStream } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { z } from "zod";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { Plan } from "../plan/plan.ts";
import { BundleError } from "./bundle-error.ts";
import { bundleFiles } from "./layout.ts";
import { manifestSchema, manifestSeal } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { countersSchema, linksSchema, metricSampleSchema, resultsSchema, timelineEventSchema } from "./records.ts";
import type { CountersRecord, LinksRecord, ResultsRecord } from "./records.ts";

/** The plan's own maker is its schema; here only what tells a plan from something else. */
const planSchema = z.looseObject({
  version: z.literal(1),
  experiment: z.string(),
  substrate: z.string(),
  nodes: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.enum(["host", "router", "switch"]),
      interfaces: z.array(z.looseObject({ link: z.string() })),
    }),
  ),
  links: z.array(z.looseObject({ name: z.string(), ends: z.array(z.looseObject({ node: z.string() })).length(2) })),
  workloads: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.enum(["bulk", "stream", "request-response", "application"]),
      port: z.number(),
    }),
  ),
  faults: z.array(z.looseObject({ atMicroseconds: z.number(), link: z.string() })),
});

/** The model is an experiment's schema; of old bundles, too, this much is known. */
const describedSchema = z.looseObject({ description: z.string().optional() });

export class Bundle {
  readonly directory: string;
  readonly manifest: Manifest;

  constructor(directory: string, manifest: Manifest) {
    this.directory = directory;
    this.manifest = manifest;
  }

  path(...name: string[]): string {
    return join(this.directory, ...name);
  }

  async has(name: string): Promise<boolean> {
    return access(this.path(name)).then(
      () => true,
      () => false,
    );
  }

  async plan(): Promise<Plan> {
    return (await this.json(bundleFiles.plan, planSchema)) as unknown as Plan;
  }

  results(): Promise<ResultsRecord> {
    return this.json(bundleFiles.results, resultsSchema);
  }

  links(): Promise<LinksRecord> {
    return this.json(bundleFiles.links, linksSchema);
  }

  counters(): Promise<CountersRecord> {
    return this.json(bundleFiles.counters, countersSchema);
  }

  events(): AsyncGenerator<TimelineEvent> {
    return this.#lines(bundleFiles.events, timelineEventSchema);
  }

  metrics(): AsyncGenerator<MetricSample> {
    return this.#lines(bundleFiles.metrics, metricSampleSchema);
  }

  /** In the order of their names. */
  async baselines(): Promise<Bundle[]> {
    if (!(await this.has(bundleFiles.baselines))) return [];
    const names = (await readdir(this.path(bundleFiles.baselines))).toSorted();
    return Promise.all(names.map((name) => openBundle(this.path(bundleFiles.baselines, name))));
  }

  text(name: string): Promise<string> {
    return readBundleFile(this.path(name));
  }

  /** Throws `BundleError` (`damaged`) where the file is missing, is no JSON or does not fit. */
  async json<T>(name: string, schema: z.ZodType<T>): Promise<T> {
    return checked(schema, parseJson(await this.text(name), this.path(name)), this.path(name));
  }

  /** The experiment's, in its author's words. Throws `BundleError` (`damaged`) as `json` does. */
  async description(): Promise<string | undefined> {
    const path = this.path(bundleFiles.experiment);
    return checked(describedSchema, parseYaml(await this.text(bundleFiles.experiment), path), path).description;
  }

  async *#lines<T>(name: string, schema: z.ZodType<T>): AsyncGenerator<T> {
    const path = this.path(name);
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number += 1;
      yield checked(schema, parseJson(line, `${path}:${number}`), `${path}:${number}`);
    }
  }
}

/** Throws `BundleError`: `not-a-bundle` where there is no manifest, `damaged` where it cannot be read. Hashes are `verifyBundle`'s business. */
export async function openBundle(directory: string): Promise<Bundle> {
  const absolute = resolve(directory);
  const path = join(absolute, bundleFiles.manifest);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const reason = await whyNoManifest(absolute, error as NodeJS.ErrnoException);
    throw new BundleError("not-a-bundle", absolute, `${directory}: not a result bundle: ${reason}`, { cause: error });
  }
  return new Bundle(absolute, checked(manifestSchema, parseJson(text, path), path));
}

/** Whether the manifest is as it was sealed. The seal is over the manifest as written, not as a schema reads it. */
export async function isSealIntact(bundle: Bundle): Promise<boolean> {
  const written = JSON.parse(await bundle.text(bundleFiles.manifest)) as Manifest;
  return manifestSeal(written) === written.seal;
}

async function whyNoManifest(directory: string, error: NodeJS.ErrnoException): Promise<string> {
  if (error.code === "ENOTDIR") return "it is not a directory";
  if (error.code !== "ENOENT") return error.message;
  let names: string[];
  try {
    names = await readdir(directory);
  } catch {
    return "there is no such directory";
  }
  return names.includes(bundleFiles.events)
    ? `it has no ${bundleFiles.manifest}: the run was cut off before it could seal the bundle`
    : `it has no ${bundleFiles.manifest}`;
}

async function readBundleFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new BundleError("damaged", path, `${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BundleError("damaged", place, `${place}: not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function parseYaml(text: string, place: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new BundleError("damaged", place, `${place}: not YAML: ${(error as Error).message}`, { cause: error });
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new BundleError(
    "damaged",
    place,
    `${place}: ${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "does not fit"}`,
  );
}
