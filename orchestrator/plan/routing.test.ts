import { expect } from "chai";
import type { AddressFamily } from "../model/ip-address.ts";
import type { Topology } from "../model/topology.ts";
import { addressLinks } from "./addressing.ts";
import { Routing } from "./routing.ts";

const nodes = (names: string[]): Record<string, object> => Object.fromEntries(names.map((name) => [name, {}]));

function routing(
  hosts: string[],
  routers: string[],
  joins: Record<string, [string, string]>,
  failed?: ReadonlySet<string>,
  addressing: AddressFamily = "ipv4",
): Routing {
  const links = Object.entries(joins).map(([name, [a, b]]) => [name, { ends: [{ node: a }, { node: b }] }]);
  const topology = {
    version: 1,
    name: "t",
    addressing,
    hosts: nodes(hosts),
    routers: nodes(routers),
    links: Object.fromEntries(links),
    profiles: {},
  };
  return new Routing(addressLinks(topology as Topology, "beef"), { ...(failed && { failed }) });
}

describe("routing", () => {
  it("gives a host between two islands a route to the one that its default does not reach", () => {
    const routes = routing(["a", "b", "c"], ["r1", "r2"], {
      one: ["a", "r1"],
      two: ["a", "r2"],
      three: ["r1", "b"],
      four: ["r2", "c"],
    }).routesOf("a");
    expect(routes).to.deep.equal([
      { destination: "default", via: "10.0.1.1", interface: "eth0", metric: 100 },
      { destination: "default", via: "10.0.2.1", interface: "eth1", metric: 200 },
      { destination: "10.0.4.0/24", via: "10.0.2.1", interface: "eth1" },
    ]);
  });

  it("has the same routes over IPv6, in a subnet of 64 bits a link", () => {
    const islands = routing(
      ["a", "b", "c"],
      ["r1", "r2"],
      { one: ["a", "r1"], two: ["a", "r2"], three: ["r1", "b"], four: ["r2", "c"] },
      undefined,
      "ipv6",
    );
    expect(islands.routesOf("a")).to.deep.equal([
      { destination: "default", via: "2001:db8:0:1::1", interface: "eth0", metric: 100 },
      { destination: "default", via: "2001:db8:0:2::1", interface: "eth1", metric: 200 },
      { destination: "2001:db8:0:4::/64", via: "2001:db8:0:2::1", interface: "eth1" },
    ]);
    expect(islands.sourceRoutesOf("a")[1]).to.deep.equal({
      from: "2001:db8:0:2::2",
      table: 102,
      routes: [
        { destination: "2001:db8:0:2::/64", interface: "eth1" },
        { destination: "default", via: "2001:db8:0:2::1", interface: "eth1" },
      ],
    });
  });

  it("takes the shorter of two ways, and of two alike the link that comes first", () => {
    const diamond = routing(["a", "b"], ["r1", "r2", "r3", "r4"], {
      in: ["a", "r1"],
      left: ["r1", "r2"],
      right: ["r1", "r3"],
      "left-out": ["r2", "r4"],
      "right-out": ["r3", "r4"],
      out: ["r4", "b"],
    });
    expect(diamond.routesOf("r1").find(({ destination }) => destination === "10.0.6.0/24")).to.include({
      interface: "eth1",
    });
    expect(diamond.routesOf("r1").find(({ destination }) => destination === "10.0.5.0/24")).to.include({
      interface: "eth2",
    });
  });

  it("keeps all ways that are equally short, and after a failure those that are left", () => {
    const joins: Record<string, [string, string]> = {
      in: ["a", "r1"],
      left: ["r1", "r2"],
      right: ["r1", "r3"],
      "left-out": ["r2", "r4"],
      "right-out": ["r3", "r4"],
      out: ["r4", "b"],
    };
    const [hosts, routers] = [
      ["a", "b"],
      ["r1", "r2", "r3", "r4"],
    ];
    const toB = (failed?: Set<string>) =>
      routing(hosts, routers, joins, failed)
        .routesOf("r1")
        .find(({ destination }) => destination === "10.0.6.0/24");
    const [left, right] = [
      { via: "10.0.2.2", interface: "eth1" },
      { via: "10.0.3.2", interface: "eth2" },
    ];
    expect(toB()).to.deep.equal({ destination: "10.0.6.0/24", ...left, equalCost: [right] });
    expect(toB(new Set(["left-out"]))).to.deep.equal({ destination: "10.0.6.0/24", ...right });
    expect(toB(new Set(["left", "right-out"]))).to.equal(undefined);
  });

  it("gives hosts that are joined directly no gateway", () => {
    const pair = routing(["a", "b"], [], { cable: ["a", "b"] });
    expect(pair.routesOf("a")).to.deep.equal([]);
    expect(pair.gatewayOf(pair.interfacesOf("a")[0]!)).to.equal(undefined);
  });

  it("has one table an interface on a multihomed host, none on others", () => {
    const net = routing(["a", "b"], ["r"], { one: ["a", "r"], two: ["a", "r"], three: ["r", "b"] });
    expect(net.sourceRoutesOf("a").map(({ from, table }) => [from, table])).to.deep.equal([
      ["10.0.1.2", 101],
      ["10.0.2.2", 102],
    ]);
    expect(net.sourceRoutesOf("b")).to.deep.equal([]);
    expect(net.sourceRoutesOf("r")).to.deep.equal([]);
  });
});
