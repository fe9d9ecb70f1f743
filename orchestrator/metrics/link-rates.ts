import type { LinkSample } from "./link-sample.ts";
import type { LinkMetricSample } from "./metric-sample.ts";

/** Derives what each direction of each link carried between two samples from its counters. */
export class LinkRates {
  readonly #zero: number;
  readonly #before = new Map<string, { readonly time: number; readonly bytes: number }>();

  /** `zero`: the run's zero, CLOCK_MONOTONIC microseconds. */
  constructor(zero: number) {
    this.#zero = zero;
  }

  /** The first sample of a direction has no sample before it, and rate 0; a sample of the same microsecond as the one before is none. */
  next(sample: LinkSample): LinkMetricSample | undefined {
    const key = `${sample.link} ${sample.direction}`;
    const before = this.#before.get(key);
    if (before !== undefined && sample.time <= before.time) return undefined;
    this.#before.set(key, { time: sample.time, bytes: sample.bytes });
    const rateBitsPerSecond =
      before === undefined ? 0 : ((sample.bytes - before.bytes) * 8_000_000) / (sample.time - before.time);
    return { kind: "link", ...sample, time: sample.time - this.#zero, rateBitsPerSecond };
  }
}
