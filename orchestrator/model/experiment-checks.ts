/** What of an experiment can only be judged over several places of its file and with its topology. */
import { checkApplications } from "./application-checks.ts";
import { checkExpectations } from "./expectation-checks.ts";
import type { Experiment } from "./experiment.ts";
import { checkFaults } from "./fault-checks.ts";
import { checkHosts } from "./host-checks.ts";
import type { Topology } from "./topology.ts";
import { checkTraffic, checkWorkloads } from "./workload-checks.ts";
import type { Complain, Complaint } from "./yaml-source.ts";

/** @param topology undefined where it could not be loaded: what needs it is left to the next time */
export function checkExperiment(experiment: Experiment, topology: Topology | undefined): Complaint[] {
  const complaints: Complaint[] = [];
  const complain: Complain = (complaint) => void complaints.push(complaint);
  checkHosts(experiment, topology, complain);
  checkWorkloads(experiment, topology, complain);
  checkApplications(experiment, complain);
  checkTraffic(experiment, topology, complain);
  checkFaults(experiment, topology, complain);
  checkExpectations(experiment, topology, complain);
  return complaints;
}
