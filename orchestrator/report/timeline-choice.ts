/** Which events a page shows when there are more than it can hold: the rare kinds whole, of the common ones as many, spread over their time. */
import type { TimelineEvent } from "../metrics/timeline-event.ts";

/** What a reader still scrolls through, and a browser filters while one types. */
const mostRows = 2_000;

export interface TimelineChoice {
  /** In the order of their times. */
  readonly shown: readonly TimelineEvent[];
  /** Names of which some are left out. */
  readonly thinned: readonly string[];
}

/** Only endpoints' events are left out: the others are few, and what happened to the run. */
export function chooseEvents(events: readonly TimelineEvent[], most: number = mostRows): TimelineChoice {
  if (events.length <= most) return { shown: events, thinned: [] };
  const kinds = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    if (event.source !== "endpoint") continue;
    const kind = kinds.get(event.name);
    if (kind === undefined) kinds.set(event.name, [event]);
    else kind.push(event);
  }
  const fromRare = [...kinds].toSorted(([, one], [, other]) => one.length - other.length);
  const kept = new Set<TimelineEvent>(events.filter(({ source }) => source !== "endpoint"));
  const thinned: string[] = [];
  let room = Math.max(0, most - kept.size);
  for (const [i, [name, kind]] of fromRare.entries()) {
    const share = Math.floor(room / (fromRare.length - i));
    if (kind.length > share) thinned.push(name);
    for (const event of spread(kind, share)) kept.add(event);
    room -= Math.min(kind.length, share);
  }
  return { shown: events.filter((event) => kept.has(event)), thinned };
}

/** `count` of them, the first and the last among them. */
function spread(events: readonly TimelineEvent[], count: number): readonly TimelineEvent[] {
  if (events.length <= count) return events;
  if (count < 2) return events.slice(0, count);
  const step = (events.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => events[Math.round(i * step)]!);
}
