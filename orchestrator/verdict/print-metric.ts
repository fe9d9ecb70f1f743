/** A value of a metric as a person reads it, where only the metric's name is known. */
import { printCount, printPercent, printRate, printShare, printSize, printTime } from "./quantity.ts";

export function printMetric(metric: string, value: number): string {
  switch (metric) {
    case "goodput":
    case "meanGoodput":
    case "leastGoodput":
      return printRate(value);
    case "fairness":
      return printShare(value);
    case "stalls":
    case "frames":
      return printCount(Number(value.toFixed(2)), metric.slice(0, -1));
    case "bytes":
      return printSize(value);
    default:
      return metric.startsWith("share of ") ? printPercent(value) : printTime(value);
  }
}
