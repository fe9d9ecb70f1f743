import { bestPreference, type Demand, preference, type Schedulable, type Scheduler } from "./scheduler.ts";

/**
 * Every subflow carries the whole stream, each from where it is: what arrives first counts (Frömmgen et al., MultiMEDIA'16). For latency, at the price of
 * capacity: the connection is as fast as its best path, whichever that is at the time.
 */
export class Redundant implements Scheduler {
  readonly name = "redundant";
  readonly reason = "each-carries-everything";
  readonly sendsCopies = true;

  /** Any that may send: whose turn it is does not matter, since each gets one. */
  select<T extends Schedulable>(subflows: readonly T[], _demand: Demand): T | undefined {
    const best = bestPreference(subflows);
    return subflows.find((subflow) => subflow.usable && subflow.space > 0 && preference(subflow) === best);
  }
}
