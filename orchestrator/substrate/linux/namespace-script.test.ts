import { expect } from "chai";
import type { PlannedInterface, PlannedNode } from "../../plan/plan.ts";
import { twoPathsPlan } from "../two-paths.fixture.ts";
import { changeRoutesScript, interfaceUpScript, middleScript, nodeScript } from "./namespace-script.ts";
import { vethLines } from "./veth.ts";

const plan = twoPathsPlan({ lab: "00aa", substrate: "namespaces", access: "emulated" });
const [phone, router] = plan.nodes as [PlannedNode, PlannedNode];

describe("script of a node", () => {
  it("sets up a multihomed host: addresses, links, main routes, a table and a rule for each source", () => {
    expect(batches(nodeScript(phone, { processor: 0 }))).to.deep.equal([
      "link set dev lo up",
      "addr add 10.1.0.2/24 dev wlan0",
      "addr add 10.2.0.2/24 dev wwan0",
      "link set dev wlan0 up",
      "link set dev wwan0 up",
      "route replace default via 10.1.0.1 dev wlan0 metric 100",
      "route replace default via 10.2.0.1 dev wwan0 metric 200",
      "route replace default via 10.1.0.1 dev wlan0 table 101",
      "route replace default via 10.2.0.1 dev wwan0 table 102",
      "rule add from 10.1.0.2 table 101",
      "rule add from 10.2.0.2 table 102",
    ]);
  });

  it("gives a router routes with several next hops of equal cost", () => {
    const [first, second] = router.interfaces;
    const routes = [
      {
        destination: "10.9.0.0/24",
        via: "10.1.0.9",
        interface: first!.name,
        equalCost: [{ via: "10.2.0.9", interface: second!.name }],
      },
    ];
    expect(batches(nodeScript({ ...router, routes }, { processor: 0 })).at(-1)).to.equal(
      `route replace 10.9.0.0/24 nexthop via 10.1.0.9 dev ${first!.name} nexthop via 10.2.0.9 dev ${second!.name}`,
    );
  });

  it("changes routes one by one, and takes away what leads nowhere any more last", () => {
    const [first] = router.interfaces;
    const routes = [{ destination: "10.9.0.0/24", via: "10.1.0.9", interface: first!.name }];
    expect(batches(changeRoutesScript({ ...router, routes }, ["10.8.0.0/24"]))).to.deep.equal([
      `route replace 10.9.0.0/24 via 10.1.0.9 dev ${first!.name}`,
      "route del 10.8.0.0/24",
    ]);
  });

  it("changes routes of IPv6 by the command of their family", () => {
    const [first, second] = router.interfaces;
    const via = { via: "2001:db8:0:1::9", interface: first!.name };
    const routes = [
      { destination: "2001:db8:0:9::/64", ...via },
      { destination: "default", ...via, equalCost: [{ via: "2001:db8:0:2::9", interface: second!.name }] },
    ];
    const ipv6Router = withInterface(router, { address: "2001:db8:0:1::1", prefixLength: 64 });
    expect(changeRoutesScript({ ...ipv6Router, routes }, ["2001:db8:0:8::/64", "::/0"])).to.contain(
      [
        "ip -6 -batch - <<'END'",
        `route replace 2001:db8:0:9::/64 via 2001:db8:0:1::9 dev ${first!.name}`,
        `route replace default nexthop via 2001:db8:0:1::9 dev ${first!.name} nexthop via 2001:db8:0:2::9 dev ${second!.name}`,
        "route del 2001:db8:0:8::/64",
        "route del ::/0",
        "END",
      ].join("\n"),
    );
  });

  it("gives a host of our own stack interfaces and nothing else", () => {
    const bare = twoPathsPlan({ lab: "00aa", substrate: "namespaces", kernelAddresses: false }).nodes[0] as PlannedNode;
    expect(batches(nodeScript(bare, { processor: 0 }))).to.deep.equal([
      "link set dev lo up",
      "link set dev wlan0 up",
      "link set dev wwan0 up",
    ]);
  });

  it("gives a host whose applications a gateway carries the device that their connections leave by", () => {
    const bare = twoPathsPlan({ lab: "00aa", substrate: "namespaces", kernelAddresses: false }).nodes[0] as PlannedNode;
    const tun = { name: "pathlab0", address: "198.18.0.1", destinations: ["10.9.0.2"] };
    expect(batches(nodeScript({ ...bare, gateway: { tun } }, { processor: 0 })).slice(3)).to.deep.equal([
      "tuntap add dev pathlab0 mode tun",
      "link set dev pathlab0 up",
      "addr add 198.18.0.1/32 dev pathlab0",
      "route add 10.9.0.2/32 dev pathlab0",
    ]);
    const overIpv6 = { tun: { name: "pathlab0", address: "2001:2::1", destinations: ["2001:db8:0:9::2"] } };
    const script = nodeScript({ ...bare, gateway: overIpv6 }, { processor: 0 });
    expect(script).to.contain("sysctl_write net/ipv6/conf/all/disable_ipv6 1");
    expect(script).to.contain(
      [
        "sysctl_write net/ipv6/conf/lo/disable_ipv6 0",
        "sysctl_write net/ipv6/conf/pathlab0/disable_ipv6 0",
        "ip -6 -batch - <<'END'",
        "addr add 2001:2::1/128 dev pathlab0 nodad",
        "route add 2001:db8:0:9::2/128 dev pathlab0",
        "END",
      ].join("\n"),
    );
  });

  it("forwards on routers only, and has IPv6 only where the plan has", () => {
    expect(nodeScript(router, { processor: 0 })).to.contain("sysctl_write net/ipv4/ip_forward 1");
    expect(nodeScript(phone, { processor: 0 })).to.contain("sysctl_write net/ipv4/ip_forward 0");
    expect(nodeScript(phone, { processor: 0 })).to.contain("sysctl_write net/ipv6/conf/all/disable_ipv6 1");
    const script = nodeScript(withInterface(phone, { address: "2001:db8::2", prefixLength: 64 }), { processor: 0 });
    expect(script).to.contain("sysctl_write net/ipv6/conf/all/disable_ipv6 0");
    expect(script).to.contain("ip -6 -batch - <<'END'\naddr add 2001:db8::2/64 dev wlan0 nodad\nEND");
  });

  it("has no IPv6 where the addresses are our stack's", () => {
    const ours = withInterface(phone, { address: "2001:db8::2", prefixLength: 64, kernelAddress: false });
    const script = nodeScript(ours, { processor: 0 });
    expect(script).to.contain("sysctl_write net/ipv6/conf/all/disable_ipv6 1");
    expect(script).not.to.contain("2001:db8::2");
  });

  it("writes the plan's kernel settings last, with values of several words", () => {
    const script = nodeScript(
      { ...phone, sysctls: { "net.ipv4.tcp_rmem": "4096 87380 6291456", "net.ipv4.ip_forward": "1" } },
      { processor: 0 },
    );
    expect(script).to.contain("sysctl_write net/ipv4/tcp_rmem '4096 87380 6291456'");
    expect(script.lastIndexOf("ip_forward 1")).to.be.greaterThan(script.lastIndexOf("ip_forward 0"));
  });

  it("sets up the kernel's MPTCP after the addresses that it names", () => {
    const endpoint = {
      kind: "linux-mptcp",
      congestionControl: "reno",
      scheduler: "default",
      pathManager: "kernel",
      sendBufferBytes: 1,
      receiveBufferBytes: 1,
      backupInterfaces: [],
      kernelMptcp: {
        limits: { subflows: 8, addAddrAccepted: 4 },
        endpoints: [{ address: "10.2.0.2", interface: "wwan0", flags: ["subflow", "backup"] }],
      },
    } as const;
    expect(batches(nodeScript({ ...phone, endpoint }, { processor: 0 })).slice(-2)).to.deep.equal([
      "mptcp limits set subflow 8 add_addr_accepted 4",
      "mptcp endpoint add 10.2.0.2 dev wwan0 subflow backup",
    ]);
  });

  it("keeps packets of an interface on one processor", () => {
    expect(nodeScript(phone, { processor: 1 })).to.contain(
      `/sys/class/net/wlan0/queues/rx-*; do echo 2 > "$queue/rps_cpus"`,
    );
    expect(nodeScript(phone, { processor: 33 })).to.contain("echo 2,00000000 >");
  });

  it("brings back what an interface lost, and nothing of the others", () => {
    expect(batches(interfaceUpScript(phone, "wwan0"))).to.deep.equal([
      "link set dev wwan0 up",
      "route replace default via 10.2.0.1 dev wwan0 metric 200",
      "route replace default via 10.2.0.1 dev wwan0 table 102",
    ]);
  });

  it("leaves the middle without addresses", () => {
    expect(batches(middleScript([{ name: "wifi0", offload: false }], { processor: 0 }))).to.deep.equal([
      "link set dev lo up",
      "link set dev wifi0 up",
    ]);
  });
});

describe("veth pairs", () => {
  const lines = vethLines(plan, (node) => `/run/netns/pl-00aa-${node}`, "/run/netns/pl-00aa-middle");

  it("are one for a direct link and two for an emulated one, both ends inside namespaces from the start", () => {
    expect(lines).to.have.length(7);
    for (const line of lines) expect(line.match(/ netns \/run\/netns\//g)).to.have.length(2);
    expect(lines[0]).to.equal(
      "link add name wlan0 netns /run/netns/pl-00aa-phone address 02:00:00:00:00:01 mtu 1500 numtxqueues 1 numrxqueues 1 type veth " +
        "peer name wifi0 netns /run/netns/pl-00aa-middle mtu 1500 numtxqueues 1 numrxqueues 1",
    );
  });
});

function withInterface(node: PlannedNode, changes: Partial<PlannedInterface>): PlannedNode {
  const [first, ...others] = node.interfaces as [PlannedInterface, ...PlannedInterface[]];
  return { ...node, interfaces: [{ ...first, ...changes }, ...others], routes: [], sourceRoutes: [] };
}

/** The lines that are given to `ip -batch`. */
function batches(script: string): string[] {
  return [...script.matchAll(/<<'END'\n(.*?)\nEND/gs)].flatMap(([, lines = ""]) => lines.split("\n"));
}
