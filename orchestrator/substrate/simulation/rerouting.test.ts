import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { addressFamilies, type AddressFamily } from "../../model/ip-address.ts";
import { loadExperiment } from "../../model/load.ts";
import { planExperiment } from "../../plan/make-plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { observe, receiverOf } from "./simulation.fixture.ts";

const topology = (addressing: AddressFamily): string => `
version: 1
name: two-spines
addressing: ${addressing}
generate: { leaf-spine: { leaves: 2, spines: 2, hostsPerLeaf: 1, rate: 10mbit, delay: 1ms } }
`;
const experiment = (faults: string): string => `
version: 1
name: failing-spine
topology: two-spines.yaml
everyHost: { endpoint: pathlab-tcp }
workload: { one: { kind: stream, from: host-0-0, to: host-1-0, client: host-0-0, rate: 2mbit, duration: 3s } }
faults: [${faults}]
capture: { enabled: false }
duration: 20s
`;

for (const addressing of addressFamilies)
  describe(`a spine that fails (${addressing})`, function () {
    this.timeout(120_000);
    let directory: string;
    before(() => {
      directory = mkdtempSync(join(tmpdir(), "pathlab-rerouting-test-"));
      writeFileSync(join(directory, "two-spines.yaml"), topology(addressing));
    });
    after(() => rmSync(directory, { recursive: true }));

    function planWith(faults: string): Plan {
      const file = join(directory, "failing.yaml");
      writeFileSync(file, experiment(faults));
      const loaded = loadExperiment(file);
      if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
      const planned = planExperiment(loaded.value, {
        substrate: "simulation",
        lab: "0000",
        abilities: { netem: false },
      });
      if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
      return planned.value;
    }

    /** Either way, the flow is hashed to one of the two spines: both fail, one after the other, and nobody waits for a path that is back. */
    it("holds a flow up for the delay of rerouting and a retransmission, and nothing is lost for good", async () => {
      const both = (reroute: string): string =>
        `{ at: 500ms, node: spine-0, do: blackhole${reroute} }, { at: 1200ms, node: spine-0, do: restore${reroute} }, { at: 1500ms, node: spine-1, do: blackhole${reroute} }`;
      const [noticed, unnoticed] = [
        await observe(planWith(both(", reroute: 50ms"))),
        await observe(planWith(both(""))),
      ];
      const { longestGapMicroseconds, bytes } = receiverOf(noticed, "one server");
      expect(noticed.failures).to.deep.equal([]);
      expect(bytes).to.equal(750_000);
      expect(longestGapMicroseconds).to.be.within(50_000, 600_000);
      const told = noticed.events.filter(({ name }) => name === "fault:reroute").map(({ time }) => time);
      expect(told).to.deep.equal([550_000, 1_250_000, 1_550_000]);
      // Without rerouting a flow over spine-1 never ends, and one over spine-0 waits until it is back.
      const gap = Math.max(
        ...Object.values(unnoticed.results).flatMap((result) =>
          result.kind === "receiver" ? [result.longestGapMicroseconds] : [],
        ),
        unnoticed.failures.length > 0 ? Infinity : 0,
      );
      expect(gap).to.be.above(600_000);
    });

    it("is planned with the routes of those whose routes change, and back to those that were", () => {
      const plan = planWith(
        "{ at: 500ms, node: spine-0, do: blackhole, reroute: 50ms }, { at: 1s, node: spine-0, do: restore, reroute: 100ms }",
      );
      const [away, back] = plan.faults.filter(({ action }) => action === "reroute");
      const changed = (fault: typeof away): string[] => fault!.routes!.map(({ node }) => node).toSorted();
      expect([away!.atMicroseconds, back!.atMicroseconds]).to.deep.equal([550_000, 1_100_000]);
      expect(changed(away)).to.include.members(["leaf-0", "leaf-1"]);
      expect(changed(back)).to.deep.equal(changed(away));
      for (const { node, routes } of back!.routes!)
        expect(routes).to.deep.equal(plan.nodes.find(({ name }) => name === node)!.routes);
      const leaf = away!.routes!.find(({ node }) => node === "leaf-0")!;
      expect(leaf.routes.filter(({ equalCost }) => equalCost !== undefined)).to.deep.equal([]);
      expect(plan.faults.filter(({ action }) => action === "blackhole").map(({ link }) => link)).to.deep.equal([
        "uplink-0-0",
        "uplink-1-0",
      ]);
    });
  });
