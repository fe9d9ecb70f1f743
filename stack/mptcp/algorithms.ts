/** What makes the algorithms of one connection. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { CoupledGroup } from "../congestion/coupled.ts";
import type { PathManager } from "../path-manager/path-manager.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

export interface Algorithms {
  /** One for each subflow; `group` is the connection's. */
  readonly newCongestionControl: (group: CoupledGroup) => CongestionControl;
  readonly newScheduler: () => Scheduler;
  readonly newPathManager: () => PathManager;
}
