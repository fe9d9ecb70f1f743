import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { makePlan } from "./make-plan.ts";
import type { PlannedFault } from "./plan.ts";

const file = join(import.meta.dirname, "../../experiments/wifi-3g-failover.yaml");

function planned(faults: string): readonly PlannedFault[] {
  const loaded = loadExperiment(file, { settings: [`faults=[${faults}]`] });
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  const { experiment, topology } = loaded.value;
  const result = makePlan(experiment, topology.topology, { lab: "a1b2", abilities: { netem: false } });
  if (!result.ok) throw new Error(JSON.stringify(result.complaints));
  return result.value.faults;
}

const told = (faults: readonly PlannedFault[], of: string): string[] =>
  faults
    .filter(({ link, action }) => link === of && action !== "reroute")
    .map(({ atMicroseconds, action }) => `${atMicroseconds / 1e6} ${action}`);

const routesToPhone = (faults: readonly PlannedFault[]): string[] =>
  faults
    .filter(({ action }) => action === "reroute")
    .map(({ atMicroseconds, routes }) => {
      const { routes: now = [] } = routes?.find(({ node }) => node === "internet") ?? {};
      return `${atMicroseconds / 1e6} ${now.map(({ destination }) => destination).join(" ")}`;
    });

describe("failures of a link that overlap", () => {
  it("leave it dead until its own is over, when that of its node is over before", () => {
    const faults = planned(
      "{ at: 1s, link: wifi-uplink, do: blackhole }, { at: 2s, node: wifi-router, do: blackhole }, " +
        "{ at: 3s, node: wifi-router, do: restore }, { at: 4s, link: wifi-uplink, do: restore }",
    );
    expect(told(faults, "wifi-uplink")).to.deep.equal(["1 blackhole", "4 restore"]);
    expect(told(faults, "wifi")).to.deep.equal(["2 blackhole", "3 restore"]);
  });

  it("leave it dead until the nodes at both ends are back", () => {
    const faults = planned(
      "{ at: 1s, node: wifi-router, do: blackhole }, { at: 2s, node: internet, do: blackhole }, " +
        "{ at: 3s, node: internet, do: restore }, { at: 4s, node: wifi-router, do: restore }",
    );
    expect(told(faults, "wifi-uplink")).to.deep.equal(["1 blackhole", "4 restore"]);
    expect(told(faults, "lan")).to.deep.equal(["2 blackhole", "3 restore"]);
  });

  it("keep routers from using it until the last is over", () => {
    const faults = planned(
      "{ at: 1s, link: wifi-uplink, do: blackhole, reroute: 10ms }, " +
        "{ at: 2s, node: wifi-router, do: blackhole, reroute: 10ms }, " +
        "{ at: 3s, node: wifi-router, do: restore, reroute: 10ms }, " +
        "{ at: 4s, link: wifi-uplink, do: restore, reroute: 10ms }",
    );
    const withIt = "10.0.1.0/24 10.0.2.0/24";
    expect(routesToPhone(faults)).to.deep.equal(["1.01 10.0.2.0/24", "2.01 ", "3.01 ", `4.01 ${withIt}`]);
  });

  it("are told apart where one ends as another begins", () => {
    const faults = planned(
      "{ at: 1s, node: wifi-router, do: blackhole, reroute: 10ms }, " +
        "{ at: 2s, node: wifi-router, do: restore, reroute: 10ms }, " +
        "{ at: 2s, node: 3g-router, do: blackhole, reroute: 10ms }, " +
        "{ at: 3s, node: 3g-router, do: restore, reroute: 10ms }",
    );
    const reasons = faults.filter(({ action }) => action === "reroute").map(({ reason }) => reason.split(";")[0]);
    expect(reasons).to.deep.equal([
      "routers have noticed that wifi-router failed",
      "routers have noticed that 3g-router failed, wifi-router is back",
      "routers have noticed that 3g-router is back",
    ]);
  });
});
