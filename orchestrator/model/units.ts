/**
 * Quantities as files spell them: a number and its unit in one word. A bare number is never taken, since half of all wrong experiments begin with one. Base
 * units: bits per second, microseconds, bytes, packets, a probability.
 */

/** One kind of quantity: its units in ascending order, with their size in the base unit. */
export interface Quantity {
  /** As in "expected a rate". */
  readonly noun: string;
  readonly example: string;
  readonly units: Readonly<Record<string, number>>;
  /** Whether the base unit can be divided: a probability can, a byte can not. */
  readonly fractional: boolean;
}

export const rateQuantity: Quantity = {
  noun: "a rate",
  example: "8mbit",
  units: { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 },
  fractional: false,
};

export const durationQuantity: Quantity = {
  noun: "a time",
  example: "20ms",
  units: { us: 1, ms: 1e3, s: 1e6, min: 60e6 },
  fractional: false,
};

/** Decimal kB and MB as disks count, binary KiB and MiB as memory does. */
export const sizeQuantity: Quantity = {
  noun: "a size",
  example: "80kB",
  units: { B: 1, kB: 1e3, KiB: 1024, MB: 1e6, MiB: 1024 ** 2, GB: 1e9, GiB: 1024 ** 3 },
  fractional: false,
};

export const packetsQuantity: Quantity = {
  noun: "a number of packets",
  example: "50packets",
  units: { packet: 1, packets: 1 },
  fractional: false,
};

export const percentQuantity: Quantity = {
  noun: "a percentage",
  example: "1%",
  units: { "%": 0.01 },
  fractional: true,
};

/** Matches exactly the texts that `parseQuantity` takes, but for their limits. */
export function quantityPattern(quantity: Quantity): RegExp {
  return new RegExp(`^\\d+(\\.\\d+)?(${Object.keys(quantity.units).join("|")})$`);
}

/** The value in the base unit; undefined where the text is no such quantity. Rounded to whole base units unless these can be divided. */
export function parseQuantity(quantity: Quantity, text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z%]+)$/.exec(text);
  if (!match) return undefined;
  const scale = Object.hasOwn(quantity.units, match[2]!) ? quantity.units[match[2]!] : undefined;
  if (scale === undefined) return undefined;
  const value = quantity.fractional ? Number(match[1]) * scale : Math.round(Number(match[1]) * scale);
  return Number.isFinite(value) && (quantity.fractional || Number.isSafeInteger(value)) ? value : undefined;
}

/** The shortest spelling that parses to the same value and does not begin with 0: `100ms`, not `0.1s`; `1.5mbit`, not `1500kbit`. */
export function formatQuantity(quantity: Quantity, value: number): string {
  let shortest: string | undefined;
  for (const [unit, scale] of Object.entries(quantity.units)) {
    const number = plainDecimal(value / scale);
    const text = `${number}${unit}`;
    if (parseQuantity(quantity, text) !== value || (value !== 0 && value < scale)) continue;
    if (shortest === undefined || text.length < shortest.length) shortest = text;
  }
  if (shortest === undefined) throw new RangeError(`${value} is not ${quantity.noun}`);
  return shortest;
}

/** Never an exponent, which no quantity has. */
function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(12).replace(/\.?0+$/, "") : text;
}

export const formatRate = (bitsPerSecond: number): string => formatQuantity(rateQuantity, bitsPerSecond);
export const formatDuration = (microseconds: number): string => formatQuantity(durationQuantity, microseconds);
export const formatSize = (bytes: number): string => formatQuantity(sizeQuantity, bytes);
export const formatProbability = (probability: number): string =>
  `${plainDecimal(Number((probability * 100).toFixed(6)))}%`;

/** What is expected in the place of `found`, and a hint that says how to mend it: the two halves of a diagnostic, joined by `; `. */
export function describeQuantityMismatch(quantities: readonly Quantity[], found: unknown): string {
  const nouns = quantities.map((quantity) => `${quantity.noun} such as ${quantity.example}`).join(", or ");
  const units = quantities.flatMap((quantity) => Object.keys(quantity.units));
  const intended = typeof found === "string" ? misspelledUnit(quantities, found) : undefined;
  if (intended) return `${nouns}; did you mean ${intended}?`;
  if (typeof found === "number")
    return `${nouns}; a number needs its unit: ${unitsOfNumber(quantities, found).join(", ")}`;
  return `${nouns}; ${units.length === 1 ? "the unit is" : "the units are"} ${units.join(", ")}`;
}

/** Decimal units only; a fraction is taken for the share that it is of the whole. */
function unitsOfNumber(quantities: readonly Quantity[], found: number): string[] {
  return quantities.flatMap((quantity) => {
    if (quantity.fractional) return [formatProbability(found <= 1 ? found : found / 100)];
    return Object.keys(quantity.units)
      .filter((unit) => !unit.endsWith("iB"))
      .map((unit) => `${found}${unit}`);
  });
}

const misspellings: Readonly<Record<string, string>> = {
  bps: "bit",
  kbps: "kbit",
  mbps: "mbit",
  gbps: "gbit",
  "bit/s": "bit",
  "kbit/s": "kbit",
  "mbit/s": "mbit",
  "gbit/s": "gbit",
  k: "kbit",
  m: "mbit",
  g: "gbit",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  msec: "ms",
  millisecond: "ms",
  milliseconds: "ms",
  usec: "us",
  µs: "us",
  μs: "us",
  minute: "min",
  minutes: "min",
  b: "B",
  byte: "B",
  bytes: "B",
  kb: "kB",
  mb: "MB",
  gb: "GB",
  kib: "KiB",
  mib: "MiB",
  gib: "GiB",
  pkts: "packets",
  pkt: "packet",
  p: "packets",
  pct: "%",
  percent: "%",
};

/** The spelling that was probably meant: another case, a space before the unit, the unit's name in another tool. */
function misspelledUnit(quantities: readonly Quantity[], text: string): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(\S+)\s*$/.exec(text);
  if (!match) return undefined;
  const [, number, written] = match;
  const units = quantities.flatMap((quantity) => Object.keys(quantity.units));
  const lower = written!.toLowerCase();
  const unit =
    [written!, lower, misspellings[lower]].find((candidate) => candidate !== undefined && units.includes(candidate)) ??
    units.find((candidate) => candidate.toLowerCase() === lower);
  return unit === undefined ? undefined : `${number}${unit}`;
}
