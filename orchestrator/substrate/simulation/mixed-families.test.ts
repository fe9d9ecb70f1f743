/** Subflows of both families in one connection, in virtual time (RFC 8684 §3.4.1). */
import { expect } from "chai";
import { payloadSha256 } from "../../../stack/endpoint/workload/payload.ts";
import { subflowPaths } from "../../workload/subflow-path.ts";
import { FlowPaths } from "../../plan/flow-paths.ts";
import { simulationPlan } from "../../plan/simulation-plans.fixture.ts";
import { megabitsPerSecond, observe, receiverOf } from "./simulation.fixture.ts";

describe("Simulation of both families", function () {
  this.timeout(120_000);

  for (const family of ["ipv4", "ipv6"] as const) {
    it(`has a connection over ${family} take the path of the other family, of which an ADD_ADDR told`, async () => {
      const plan = simulationPlan("mixed-families", [`workload.download.family=${family}`]);
      const observed = await observe(plan);
      const received = receiverOf(observed, "download client");
      expect(observed.failures).to.deep.equal([]);
      expect(received.sha256).to.equal(payloadSha256(plan.workloads[0]!.payloadSeed, 24_000_000));
      expect(megabitsPerSecond(received)).to.be.above(9);
      const subflows = new Set(
        observed.samples.flatMap((sample) =>
          sample.kind === "subflow" && sample.host === "phone" ? [sample.subflow] : [],
        ),
      );
      const pathOf = subflowPaths(plan);
      const flowPaths = new FlowPaths(plan);
      const ways = [...subflows].map((subflow) => [
        subflow.startsWith("[") ? "ipv6" : "ipv4",
        pathOf(subflow),
        flowPaths.linksOf(subflow)?.join(" "),
      ]);
      expect(ways).to.have.deep.members([
        ["ipv4", "wifi", "wifi wifi-uplink lan"],
        ["ipv6", "3g", "3g 3g-uplink lan"],
      ]);
    });
  }

  it("has a full mesh take both families of each interface where links have both", async () => {
    const plan = simulationPlan("mixed-families", ["topology=../topologies/wifi-3g-dual.yaml"]);
    const observed = await observe(plan);
    const subflows = new Set(
      observed.samples.flatMap((sample) =>
        sample.kind === "subflow" && sample.host === "phone" ? [sample.subflow.replace(/:\d+-.*/, "")] : [],
      ),
    );
    expect(subflows).to.deep.equal(new Set(["10.0.1.2", "10.0.2.2", "[2001:db8:0:1::2]", "[2001:db8:0:2::2]"]));
    expect(receiverOf(observed, "download client").bytes).to.equal(24_000_000);
  });
});
