import type { MetricSample } from "./metric-sample.ts";

type SampleOf<Kind extends MetricSample["kind"]> = Extract<MetricSample, { kind: Kind }>;

/** Keys of a sample whose values are numbers that change with time. */
type NumericKey<Sample> = Exclude<
  { [Key in keyof Sample]-?: NonNullable<Sample[Key]> extends number ? Key : never }[keyof Sample],
  undefined | "time"
>;

/** The samples of one entity in the order of time, as columns of equal length; `NaN` where a sample has no such value. */
export interface Series<Kind extends MetricSample["kind"]> {
  readonly kind: Kind;
  /** Unlike those of all other series: `phone 1 10.0.1.2:40000-10.0.9.2:5001`, `wifi forward`. */
  readonly entity: string;
  /** The first sample of the entity: its names (host, subflow, path, link …). */
  readonly first: SampleOf<Kind>;
  /** Microseconds since the run's zero. */
  readonly times: readonly number[];
  readonly columns: Readonly<Record<NumericKey<SampleOf<Kind>> & string, readonly number[]>>;
}

export type AnySeries = { [Kind in MetricSample["kind"]]: Series<Kind> }[MetricSample["kind"]];

const columnsOf = {
  subflow: [
    "congestionWindowBytes",
    "slowStartThresholdBytes",
    "smoothedRttMicroseconds",
    "bytesInFlight",
    "bytesAcked",
    "bytesReceived",
    "retransmissions",
    "reinjections",
  ],
  connection: ["bytesSent", "bytesReceived", "reassemblyQueueBytes", "sendWindowBytes", "receiveWindowBytes"],
  link: ["packets", "bytes", "rateBitsPerSecond", "queueBytes", "dropsQueue", "dropsLoss", "dropsBlackhole"],
  workload: ["bytes", "goodputBitsPerSecond", "playbackBufferMicroseconds"],
} as const satisfies { [Kind in MetricSample["kind"]]: readonly NumericKey<SampleOf<Kind>>[] };

function entityOf(sample: MetricSample): string {
  switch (sample.kind) {
    case "subflow":
      return `${sample.host} ${sample.connection} ${sample.subflow}`;
    case "connection":
      return `${sample.host} ${sample.connection}`;
    case "link":
      return `${sample.link} ${sample.direction}`;
    case "workload":
      return sample.workload;
  }
}

/** Sorts samples into series, one an entity, in the order in which entities first appear. */
export function readSeries(samples: Iterable<MetricSample>): AnySeries[] {
  const groups = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const key = `${sample.kind} ${entityOf(sample)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return [...groups.values()].map(seriesOf);
}

function seriesOf(group: readonly MetricSample[]): AnySeries {
  const samples = group.toSorted((one, other) => one.time - other.time);
  const first = samples[0]!;
  const column = (key: string): number[] =>
    samples.map((sample) => (sample as unknown as Record<string, number | undefined>)[key] ?? NaN);
  const columns = Object.fromEntries(columnsOf[first.kind].map((key) => [key, column(key)]));
  const times = samples.map(({ time }) => time);
  // The kind decides the columns, which a type over all kinds cannot follow.
  return { kind: first.kind, entity: entityOf(first), first, times, columns } as unknown as AnySeries;
}

export function seriesOfKind<Kind extends MetricSample["kind"]>(
  series: readonly AnySeries[],
  kind: Kind,
): Series<Kind>[] {
  return series.filter((candidate) => candidate.kind === kind) as unknown as Series<Kind>[];
}

/** A counter's growth in bits per second between neighbouring samples, at the later of the two; the first value is `NaN`. */
export function ratesOf(times: readonly number[], counter: readonly number[]): number[] {
  return times.map((time, index) => {
    const before = times[index - 1];
    return before === undefined || time <= before
      ? NaN
      : ((counter[index]! - counter[index - 1]!) * 8_000_000) / (time - before);
  });
}
