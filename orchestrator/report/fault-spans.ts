import type { PlannedFault } from "../plan/plan.ts";
import type { ChartSpan } from "./chart-spec.ts";
import { neutralColour } from "./palette.ts";
import type { Palette } from "./palette.ts";
import type { RunView } from "./run-view.ts";

const endedBy: Readonly<Partial<Record<PlannedFault["action"], PlannedFault["action"]>>> = {
  blackhole: "restore",
  down: "up",
};

/** The times in which a link was dead, in the link's colour; a change of its shape is a span without length. */
export function faultSpans({ plan, durationMicroseconds }: RunView, palette: Palette): ChartSpan[] {
  return plan.faults.flatMap((fault, index): ChartSpan[] => {
    const end = endedBy[fault.action];
    if (fault.action !== "set" && end === undefined) return [];
    const over = plan.faults.slice(index + 1).find(({ link, action }) => link === fault.link && action === end);
    const from = fault.atMicroseconds / 1e6;
    const to = fault.action === "set" ? from : (over?.atMicroseconds ?? durationMicroseconds) / 1e6;
    const label =
      fault.action === "set" ? `${fault.link} changed` : `${fault.link} ${fault.action === "down" ? "down" : "dead"}`;
    return [{ from, to, label, colour: palette.path(fault.link) ?? neutralColour }];
  });
}
