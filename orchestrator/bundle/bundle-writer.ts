/**
 * Writes a bundle into its final directory while the run goes on, so that what was measured is kept whatever happens; the manifest comes last and at once,
 * so that a directory with a manifest is whole.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { recordSeparator } from "../../stack/qlog.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import { asWriteError } from "./bundle-error.ts";
import type { BundleError } from "./bundle-error.ts";
import { bundleDirectory, bundleFiles, bundleSchemaVersion } from "./layout.ts";
import type { BundleDescription, Manifest } from "./manifest.ts";
import { makeFolders } from "./make-folders.ts";
import { NdjsonFile } from "./ndjson-file.ts";
import { giveTo, sudoCaller } from "./ownership.ts";
import { sealDirectory } from "./seal.ts";

/** Room for the manifest on a disk that fills up during the run: taken at the start, given back at the seal. */
const reserveFile = ".manifest-reserve";
const reserveBytes = 64 * 1024;

export type ManifestContent = Omit<BundleDescription, "schemaVersion" | "id" | "experiment" | "baseline">;

export interface BundleIdentity {
  readonly experiment: string;
  readonly startedAt: Date;
  /** Chosen at random where absent. */
  readonly id?: string;
}

export class BundleWriter {
  readonly directory: string;
  readonly id: string;
  readonly experiment: string;
  readonly baselineName: string | undefined;
  /** Resolves with the first write of the event and metric streams that failed; pending for ever where none does. */
  readonly failure: Promise<BundleError>;
  readonly #events: NdjsonFile;
  readonly #metrics: NdjsonFile;
  readonly #traces = new Map<string, NdjsonFile>();
  readonly #fail: (error: BundleError) => void;
  /** The outermost directory that was made for it: all below is handed to the caller of sudo. */
  readonly #made: string;

  private constructor(fields: {
    directory: string;
    id: string;
    experiment: string;
    baselineName: string | undefined;
    failure: Promise<BundleError>;
    events: NdjsonFile;
    metrics: NdjsonFile;
    fail: (error: BundleError) => void;
    made: string;
  }) {
    this.directory = fields.directory;
    this.id = fields.id;
    this.experiment = fields.experiment;
    this.baselineName = fields.baselineName;
    this.failure = fields.failure;
    this.#events = fields.events;
    this.#metrics = fields.metrics;
    this.#fail = fields.fail;
    this.#made = fields.made;
  }

  /** Makes `<resultsDirectory>/<experiment>/<time>-<id>/`. Throws `BundleError` (`disk-full`, `unwritable`). */
  static create(resultsDirectory: string, identity: BundleIdentity): Promise<BundleWriter> {
    const id = identity.id ?? randomBytes(3).toString("hex");
    const directory = bundleDirectory(resultsDirectory, identity.experiment, identity.startedAt, id);
    return BundleWriter.#open(directory, id, identity.experiment, undefined);
  }

  /** The bundle of a baseline's run, within this one; to be sealed before this one is. */
  baseline(name: string): Promise<BundleWriter> {
    return BundleWriter.#open(
      join(this.directory, bundleFiles.baselines, name),
      `${this.id}-${name}`,
      this.experiment,
      name,
    );
  }

  static async #open(
    directory: string,
    id: string,
    experiment: string,
    baselineName: string | undefined,
  ): Promise<BundleWriter> {
    try {
      const madeAbove = await makeFolders(dirname(directory));
      await mkdir(directory);
      const made = madeAbove ?? directory;
      await mkdir(join(directory, bundleFiles.logs));
      await writeFile(join(directory, reserveFile), Buffer.alloc(reserveBytes, 0x20));
      const { promise: failure, resolve: fail } = Promise.withResolvers<BundleError>();
      const events = await NdjsonFile.create(join(directory, bundleFiles.events), fail);
      const metrics = await NdjsonFile.create(join(directory, bundleFiles.metrics), fail);
      return new BundleWriter({ directory, id, experiment, baselineName, failure, events, metrics, fail, made });
    } catch (error) {
      throw asWriteError(error, directory);
    }
  }

  /** Where a file of the bundle is: for what others write themselves (`capture.pcapng`, `logs/phone.log`). */
  path(...name: string[]): string {
    return join(this.directory, ...name);
  }

  event(event: TimelineEvent): void {
    this.#events.append(event);
  }

  /** A record of `qlog/<host>.sqlog`. */
  trace(host: string, record: object): void {
    let file = this.#traces.get(host);
    if (file === undefined) {
      file = NdjsonFile.openLater(this.path(bundleFiles.qlog, `${host}.sqlog`), this.#fail, recordSeparator);
      this.#traces.set(host, file);
    }
    file.append(record);
  }

  metric(sample: MetricSample): void {
    this.#metrics.append(sample);
  }

  get #streams(): NdjsonFile[] {
    return [this.#events, this.#metrics, ...this.#traces.values()];
  }

  /** Resolves when all events and metrics so far are in their files. */
  async flush(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.flush()));
  }

  /** Throws `BundleError` (`disk-full`, `unwritable`). */
  async writeText(name: string, text: string): Promise<void> {
    const path = this.path(name);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    } catch (error) {
      throw asWriteError(error, path);
    }
  }

  /** A line each. */
  writeLines(name: string, records: readonly object[]): Promise<void> {
    return this.writeText(name, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }

  /** Two spaces of indentation, so that a person can read it and `diff` can compare it. */
  writeJson(name: string, value: object): Promise<void> {
    return this.writeText(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Closes the streams and takes the whole away again: nobody is going to look at it. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#streams.map((stream) => stream.close()));
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * Closes the streams, hashes every file, writes the manifest at once (a temporary file, renamed) and hands the whole to the caller of sudo. A stream that failed
   * during the run is told by `failure`; the seal goes on, so that what was measured can be verified.
   */
  async seal(content: ManifestContent): Promise<Manifest> {
    await Promise.allSettled(this.#streams.map((stream) => stream.close()));
    await rm(this.path(reserveFile), { force: true });
    const manifest = await sealDirectory(this.directory, {
      schemaVersion: bundleSchemaVersion,
      id: this.id,
      experiment: this.experiment,
      ...(this.baselineName === undefined ? {} : { baseline: this.baselineName }),
      ...content,
    });
    const owner = sudoCaller();
    if (owner !== undefined) await giveTo(owner, this.#made);
    return manifest;
  }
}
