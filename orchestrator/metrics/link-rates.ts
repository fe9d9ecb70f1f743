import type { LinkSample } from "./link-sample.ts";
import type { LinkMetricSample } from "./metric-sample.ts";

/**
 * Derives what each direction of each link carried from its counters. They count from its last sample before the run's zero on, or from its first: what the measurement
 * before the run sent and lost is not the run's.
 */
export class LinkRates {
  readonly #zero: number;
  readonly #first = new Map<string, LinkSample>();
  readonly #before = new Map<string, LinkSample>();

  /** `zero`: the run's zero, CLOCK_MONOTONIC microseconds. */
  constructor(zero: number) {
    this.#zero = zero;
  }

  /** The first sample of a direction has no sample before it, and rate 0. None: one before the zero, and one of the same microsecond as the one before. */
  next(sample: LinkSample): LinkMetricSample | undefined {
    const key = `${sample.link} ${sample.direction}`;
    const before = this.#before.get(key);
    if (before !== undefined && sample.time <= before.time) return undefined;
    const isEarly = sample.time < this.#zero;
    const first = isEarly ? sample : (this.#first.get(key) ?? sample);
    this.#first.set(key, first);
    this.#before.set(key, sample);
    if (isEarly) return undefined;
    const rateBitsPerSecond =
      before === undefined ? 0 : ((sample.bytes - before.bytes) * 8_000_000) / (sample.time - before.time);
    return { kind: "link", ...sample, time: sample.time - this.#zero, ...carried(first, sample), rateBitsPerSecond };
  }

  /** What each direction has carried until its last sample. */
  totals(): LinkTotals[] {
    return [...this.#before].map(([key, last]) => ({
      link: last.link,
      direction: last.direction,
      ...carried(this.#first.get(key)!, last),
    }));
  }
}

type LinkCounters = Pick<LinkSample, "packets" | "bytes" | "dropsQueue" | "dropsLoss" | "dropsBlackhole">;
export type LinkTotals = Pick<LinkSample, "link" | "direction"> & LinkCounters;

function carried(first: LinkSample, last: LinkSample): LinkCounters {
  return {
    packets: last.packets - first.packets,
    bytes: last.bytes - first.bytes,
    dropsQueue: last.dropsQueue - first.dropsQueue,
    dropsLoss: last.dropsLoss - first.dropsLoss,
    dropsBlackhole: last.dropsBlackhole - first.dropsBlackhole,
  };
}
