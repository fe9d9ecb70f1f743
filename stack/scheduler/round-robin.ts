import { bestPreference, type Demand, preference, type Schedulable, type Scheduler } from "./scheduler.ts";

/** One after the other, an item each, as far as their windows allow (Paasch et al., CSWS'14). */
export class RoundRobin implements Scheduler {
  readonly name = "round-robin";
  readonly reason = "next-in-turn-with-room";
  #lastId = -1;

  select<T extends Schedulable>(subflows: readonly T[], _demand: Demand): T | undefined {
    const best = bestPreference(subflows);
    let next: T | undefined;
    let first: T | undefined;
    for (const subflow of subflows) {
      if (!subflow.usable || preference(subflow) !== best || subflow.space <= 0) continue;
      if (first === undefined || subflow.id < first.id) first = subflow;
      if (subflow.id > this.#lastId && (next === undefined || subflow.id < next.id)) next = subflow;
    }
    const chosen = next ?? first;
    if (chosen !== undefined) this.#lastId = chosen.id;
    return chosen;
  }
}
