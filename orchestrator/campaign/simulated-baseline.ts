/** What a simulation makes of a baseline on the kernel's TCP: our stack's TCP takes its place, and the verdict says so. */
import type { CheckedExperiment } from "../model/checked-experiment.ts";

export interface SimulatedBaseline {
  readonly loaded: CheckedExperiment;
  /** Hosts on which `pathlab-tcp` stands for `linux-tcp`. */
  readonly replaced: readonly string[];
}

/**
 * A baseline is there for comparison, and plain TCP beside MPTCP is the one that most experiments want. The experiment itself is never changed so: a kernel
 * that is its subject cannot be simulated. What `linux-tcp` offers, `pathlab-tcp` does too, so that every other setting stays.
 */
export function simulatedBaseline(baseline: CheckedExperiment): SimulatedBaseline {
  const { experiment } = baseline;
  const replaced = Object.keys(experiment.hosts).filter((host) => experiment.hosts[host]!.endpoint === "linux-tcp");
  if (replaced.length === 0) return { loaded: baseline, replaced };
  const endpoints = Object.fromEntries(replaced.map((host) => [host, "pathlab-tcp" as const]));
  const hosts = Object.fromEntries(
    Object.entries(experiment.hosts).map(([host, settings]) => [
      host,
      { ...settings, endpoint: endpoints[host] ?? settings.endpoint },
    ]),
  );
  return {
    loaded: {
      ...baseline,
      experiment: { ...experiment, hosts },
      textWith: (settings) => baseline.textWith({ ...settings, endpoints }),
    },
    replaced,
  };
}
