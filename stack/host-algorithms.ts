/** The algorithms that a host can be told to use, by name. */

import { Balia } from "./congestion/balia.ts";
import type { CongestionControl } from "./congestion/congestion-control.ts";
import { Cubic } from "./congestion/cubic.ts";
import type { CoupledGroup } from "./congestion/coupled.ts";
import { Ewtcp } from "./congestion/ewtcp.ts";
import { FullyCoupled } from "./congestion/fully-coupled.ts";
import { Lia } from "./congestion/lia.ts";
import { Olia } from "./congestion/olia.ts";
import { Reno } from "./congestion/reno.ts";
import { WeightedVegas } from "./congestion/weighted-vegas.ts";
import { checkedName } from "./host-configuration.ts";
import {
  type AlgorithmChoices,
  ConfigurationError,
  type CongestionControlName,
  type PathManagerName,
  type SchedulerName,
} from "./host-options.ts";
import type { Algorithms } from "./mptcp/algorithms.ts";
import type { MultipathPolicy } from "./mptcp/multipath-policy.ts";
import { Backup } from "./path-manager/backup.ts";
import { FullMesh } from "./path-manager/full-mesh.ts";
import { NDifferentPorts } from "./path-manager/n-different-ports.ts";
import type { PathManager } from "./path-manager/path-manager.ts";
import { Signal } from "./path-manager/signal.ts";
import { SinglePath } from "./path-manager/single-path.ts";
import { SubflowFromEach } from "./path-manager/subflow.ts";
import { Blest } from "./scheduler/blest.ts";
import { EarliestCompletionFirst } from "./scheduler/ecf.ts";
import { MinRtt } from "./scheduler/min-rtt.ts";
import { Redundant } from "./scheduler/redundant.ts";
import { RoundRobin } from "./scheduler/round-robin.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";

export const congestionControls: Readonly<Record<CongestionControlName, (group: CoupledGroup) => CongestionControl>> = {
  lia: (group) => new Lia(group),
  olia: (group) => new Olia(group),
  balia: (group) => new Balia(group),
  wvegas: (group) => new WeightedVegas(group),
  ewtcp: (group) => new Ewtcp(group),
  "fully-coupled": (group) => new FullyCoupled(group),
  reno: () => new Reno(),
  cubic: () => new Cubic(),
};

export const schedulers: Readonly<Record<SchedulerName, () => Scheduler>> = {
  "min-rtt": () => new MinRtt(),
  "round-robin": () => new RoundRobin(),
  redundant: () => new Redundant(),
  blest: () => new Blest(),
  ecf: () => new EarliestCompletionFirst(),
};

export const pathManagers: Readonly<
  Record<PathManagerName, (policy: Pick<MultipathPolicy, "maximumSubflows">) => PathManager>
> = {
  "full-mesh": () => new FullMesh(),
  "n-different-ports": ({ maximumSubflows }) => new NDifferentPorts(maximumSubflows + 1),
  signal: () => new Signal(),
  subflow: () => new SubflowFromEach(),
  backup: () => new Backup(),
  "single-path": () => new SinglePath(),
};

/** @throws ConfigurationError for a name that nobody has; what one's own function makes is checked when it is made */
export function chosenAlgorithms(choices: AlgorithmChoices, policy: MultipathPolicy): Algorithms {
  const { congestionControl, scheduler, pathManager } = choices;
  const named = (): ((policy: MultipathPolicy) => PathManager) =>
    checkedName("pathManager", pathManager as string, pathManagers);
  const newPathManager = typeof pathManager === "function" ? own("pathManager", pathManager, ["update"]) : named();
  return {
    newCongestionControl:
      typeof congestionControl === "function"
        ? own("congestionControl", congestionControl, congestionControlMethods)
        : checkedName("congestionControl", congestionControl, congestionControls),
    newScheduler:
      typeof scheduler === "function"
        ? own("scheduler", scheduler, ["select"])
        : checkedName("scheduler", scheduler, schedulers),
    newPathManager: () => newPathManager(policy),
  };
}

const congestionControlMethods: readonly (keyof CongestionControl)[] = [
  "setMaximumSegmentSize",
  "onAcknowledged",
  "onRttSample",
  "onLoss",
  "onRetransmissionTimeout",
  "undo",
  "onIdle",
  "restart",
  "limit",
  "setActive",
  "release",
];

/** `make`, of which what comes is seen to have the methods that it needs. */
function own<Made extends object, Arguments extends readonly unknown[]>(
  path: keyof AlgorithmChoices,
  make: (...args: Arguments) => Made,
  methods: readonly (keyof Made)[],
): (...args: Arguments) => Made {
  return (...args) => {
    const made = make(...args);
    const lacking = methods.find((method) => typeof made?.[method] !== "function");
    if (lacking !== undefined) throw new ConfigurationError(path, `what it makes has no method ${String(lacking)}`);
    return made;
  };
}
