import { expect } from "chai";
import type { Plan } from "../plan/plan.ts";
import { subflowPaths } from "./subflow-path.ts";

/** Hosts by their interfaces (`address link`), links by their first end. */
function plan(
  hosts: Record<string, [name: string, address: string, link: string][]>,
  firstEnds: Record<string, [node: string, name: string]>,
): Plan {
  const nodes = Object.entries(hosts).map(([name, interfaces]) => ({
    name,
    kind: "host",
    interfaces: interfaces.map(([interfaceName, address, link]) => ({ name: interfaceName, address, link })),
  }));
  const links = Object.entries(firstEnds).map(([name, [node, interfaceName]]) => ({
    name,
    ends: [
      { node, interface: interfaceName },
      { node: "router", interface: "x" },
    ],
  }));
  return { nodes, links } as unknown as Plan;
}

describe("subflowPaths", () => {
  const phoneAndServer = plan(
    {
      phone: [
        ["wlan0", "10.1.0.2", "wifi"],
        ["wwan0", "10.2.0.2", "3g"],
      ],
      server: [["eth0", "10.9.0.2", "core"]],
    },
    { wifi: ["phone", "wlan0"], "3g": ["phone", "wwan0"], core: ["internet", "server"] },
  );

  it("names the user's link from either host", () => {
    const pathOf = subflowPaths(phoneAndServer);
    expect(pathOf("10.1.0.2:40000-10.9.0.2:5001")).to.equal("wifi");
    expect(pathOf("10.9.0.2:5001-10.2.0.2:40000")).to.equal("3g");
  });

  it("goes by the known end when the other is an address of a NAT, and knows nothing of strangers", () => {
    const pathOf = subflowPaths(phoneAndServer);
    expect(pathOf("10.9.0.2:5001-192.0.2.1:7000")).to.equal("core");
    expect(pathOf("192.0.2.1:1-192.0.2.2:2")).to.equal(undefined);
  });

  it("takes the host with more interfaces where both are at a first end", () => {
    const pathOf = subflowPaths(
      plan(
        {
          one: [["a", "10.1.0.1", "up"]],
          many: [
            ["a", "10.2.0.1", "left"],
            ["b", "10.3.0.1", "right"],
          ],
        },
        { up: ["one", "a"], left: ["many", "a"], right: ["many", "b"] },
      ),
    );
    expect(pathOf("10.1.0.1:1-10.3.0.1:2")).to.equal("right");
    expect(pathOf("10.3.0.1:2-10.1.0.1:1")).to.equal("right");
  });
});
