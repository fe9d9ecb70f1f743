/** Quantities as a person reads them: three significant digits, units with a space. (Files spell them otherwise: `model/units.ts`.) */

const rateUnits = [
  ["Gbit/s", 1e9],
  ["Mbit/s", 1e6],
  ["kbit/s", 1e3],
  ["bit/s", 1],
] as const;
const timeUnits = [
  ["s", 1e6],
  ["ms", 1e3],
  ["µs", 1],
] as const;
const sizeUnits = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
  ["B", 1],
] as const;

export const printRate = (bitsPerSecond: number): string => print(bitsPerSecond, rateUnits);
export const printTime = (microseconds: number): string => print(microseconds, timeUnits);
export const printSize = (bytes: number): string => print(bytes, sizeUnits);
export const printPercent = (ratio: number): string => `${significant(ratio * 100)} %`;

/** A share in three digits after the point, as indices of fairness are told. */
export const printShare = (share: number): string => share.toFixed(3);

/** `1 stall`, `2 stalls`. */
export const printCount = (count: number, one: string, many: string = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** A point in time of a run: `12.345 s`. */
export const printMoment = (microseconds: number): string => `${(microseconds / 1e6).toFixed(3)} s`;

/** The largest unit of which there is at least one. */
function print(value: number, units: readonly (readonly [string, number])[]): string {
  if (!Number.isFinite(value)) return "–";
  const smallest = units.at(-1)!;
  const [unit, size] = units.find(([, scale]) => Math.abs(value) >= scale * 0.9995) ?? smallest;
  return `${significant(value / size)} ${unit}`;
}

function significant(value: number): string {
  if (value === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const text = value.toFixed(Math.min(decimals, 3));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
