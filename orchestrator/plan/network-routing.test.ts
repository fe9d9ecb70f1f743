import { expect } from "chai";
import type { Addressing } from "../model/ip-address.ts";
import type { Topology } from "../model/topology.ts";
import { addressLinks } from "./addressing.ts";
import { NetworkRouting } from "./network-routing.ts";

const phone = { node: "phone" };
const server = { node: "server" };
const router = (name: string) => ({ node: name });

/** A phone with two paths to a server with one interface. */
function network(addressing: Addressing, own: Readonly<Record<string, Addressing>> = {}): NetworkRouting {
  const links: Topology["links"] = {
    wifi: { ends: [phone, router("access")] },
    cell: { ends: [phone, router("tower")] },
    transit: { ends: [router("tower"), router("access")] },
    lan: { ends: [router("access"), server] },
  };
  const topology: Topology = {
    version: 1,
    name: "t",
    addressing,
    hosts: { phone: {}, server: {} },
    routers: { access: {}, tower: {} },
    links: Object.fromEntries(
      Object.entries(links).map(([name, link]) => [
        name,
        own[name] === undefined ? link : { ...link, addressing: own[name] },
      ]),
    ),
    profiles: {},
  };
  return new NetworkRouting(addressLinks(topology, "beef"));
}

const addresses = (routing: NetworkRouting, node: string): string[] =>
  routing.endsOf(node).map(({ address }) => address);

describe("a network of both families", () => {
  it("gives each interface an address of each, IPv4 first, numbered by family", () => {
    const dual = network("dual");
    expect(addresses(dual, "phone")).to.deep.equal(["10.0.1.2", "2001:db8:0:1::2", "10.0.2.2", "2001:db8:0:2::2"]);
    expect(addresses(dual, "server")).to.deep.equal(["10.0.4.2", "2001:db8:0:4::2"]);
  });

  it("has the routes of a network of IPv4 and those of one of IPv6", () => {
    for (const node of ["phone", "access", "tower", "server"]) {
      const both = [network("ipv4"), network("ipv6")].flatMap((routing) => routing.routesOf(node));
      expect(network("dual").routesOf(node)).to.deep.equal(both);
    }
    const rules = [network("ipv4"), network("ipv6")].flatMap((routing) => routing.sourceRoutesOf("phone"));
    expect(network("dual").sourceRoutesOf("phone")).to.deep.equal(rules);
  });

  it("has one Ethernet address an interface", () => {
    const macs = network("dual")
      .endsOf("phone")
      .map(({ mac }) => mac);
    expect(new Set(macs).size).to.equal(2);
  });

  it("routes a family over the links alone that have it", () => {
    const mixed = network("dual", { wifi: "ipv4", cell: "ipv6" });
    expect(addresses(mixed, "phone")).to.deep.equal(["10.0.1.2", "2001:db8:0:1::2"]);
    expect(mixed.routesOf("phone")).to.deep.equal([
      { destination: "default", via: "10.0.1.1", interface: "eth0" },
      { destination: "default", via: "2001:db8:0:1::1", interface: "eth1" },
    ]);
    expect(mixed.routesOf("tower").map(({ destination }) => destination)).to.deep.equal([
      "10.0.1.0/24",
      "10.0.3.0/24",
      "2001:db8:0:3::/64",
    ]);
  });

  it("lets clients connect to the first address that they reach, or to that of the family that is asked for", () => {
    const mixed = network("dual", { wifi: "ipv4", cell: "ipv6" });
    expect(mixed.serverAddress("phone", "server")).to.equal("10.0.3.2");
    expect(mixed.serverAddress("phone", "server", "ipv6")).to.equal("2001:db8:0:3::2");
    const separate = network("dual", { wifi: "ipv6", cell: "ipv6" });
    expect(separate.serverAddress("phone", "server")).to.equal("2001:db8:0:4::2");
    expect(separate.serverAddress("phone", "server", "ipv4")).to.equal(undefined);
  });

  it("knows of no way over a link that lacks the family in the middle of a path", () => {
    const gap = network("ipv6", { lan: "ipv4" });
    expect(gap.serverAddress("phone", "server")).to.equal(undefined);
  });
});
