import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { describePlan } from "./describe-plan.ts";
import { makePlan, planExperiment } from "./make-plan.ts";
import type { PlanOptions } from "./make-plan.ts";
import type { Plan } from "./plan.ts";

const repository = join(import.meta.dirname, "../..");
const golden = join(import.meta.dirname, "golden");
const onThisMachine: PlanOptions = { lab: "a1b2", abilities: { netem: false } };

const overIpv6 = "topology=../topologies/wifi-3g-ipv6.yaml";

function load(name: string, ...settings: string[]): LoadedExperiment {
  const loaded = loadExperiment(join(repository, `experiments/${name}.yaml`), { settings });
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  return loaded.value;
}

function plan(loaded: Pick<LoadedExperiment, "experiment" | "topology">, options: PlanOptions = onThisMachine): Plan {
  const result = makePlan(loaded.experiment, loaded.topology.topology, options);
  if (!result.ok) throw new Error(JSON.stringify(result.complaints));
  return result.value;
}

const node = (of: Plan, name: string) => of.nodes.find((candidate) => candidate.name === name)!;
const link = (of: Plan, name: string) => of.links.find((candidate) => candidate.name === name)!;

describe("plans of the shipped experiments", () => {
  const baseline = load("wifi-3g").baselines[0]!;
  const cases: Readonly<Record<string, () => Plan>> = {
    "wifi-3g": () => plan(load("wifi-3g")),
    "wifi-3g.tcp-on-wifi": () => plan(baseline),
    "wifi-3g.linux-mptcp": () =>
      plan(load("wifi-3g", "hosts.phone.endpoint=linux-mptcp", "hosts.server.endpoint=linux-mptcp")),
    "wifi-3g.ipv6": () => plan(load("wifi-3g", overIpv6, "hosts.phone.endpoint=linux-mptcp")),
    "mixed-families.linux-mptcp": () => plan(load("mixed-families").baselines[1]!),
    "wifi-3g-failover": () => plan(load("wifi-3g-failover")),
    "request-response": () => plan(load("request-response")),
    "video-unmodified": () => plan(load("video-unmodified")),
    "video-unmodified.ipv6-mixed": () => plan(load("video-unmodified", overIpv6, "hosts.server.endpoint=linux-mptcp")),
    "video-unmodified.linux-mptcp": () => plan(load("video-unmodified").baselines[0]!),
  };
  for (const [name, make] of Object.entries(cases)) {
    it(`${name} is as in the golden files`, () => {
      const actual = make();
      const [json, text] = [join(golden, `${name}.json`), join(golden, `${name}.txt`)];
      if (process.env["UPDATE_GOLDEN"]) {
        writeFileSync(json, `${JSON.stringify(actual, null, 2)}\n`);
        writeFileSync(text, describePlan(actual));
      }
      expect(actual).to.deep.equal(JSON.parse(readFileSync(json, "utf8")));
      expect(describePlan(actual)).to.equal(readFileSync(text, "utf8"));
    });
  }

  it("of both families refuse workloads between hosts without one in common, and applications of both at a host", () => {
    const refusal = (name: string, ...settings: string[]): unknown => {
      const { experiment, topology } = load(name, ...settings);
      const result = makePlan(experiment, topology.topology, { ...onThisMachine, substrate: "namespaces" });
      return result.ok ? undefined : result.complaints.map(({ path, found }) => [path.join("."), found]);
    };
    expect(refusal("wifi-3g", "workload.download.family=ipv6")).to.deep.equal([
      ["workload.download.family", "no path of IPv6 between phone and server"],
    ]);
    const mixed = "topology=../topologies/wifi-3g-mixed.yaml";
    expect(refusal("iperf3", mixed)).to.equal(undefined);
    const [name] = Object.keys(load("iperf3").experiment.workload);
    const second = `workload.another={ kind: application, client: phone, server: server, family: ipv6, serve: { command: [a] }, run: { command: [b] } }`;
    expect(refusal("iperf3", mixed, `workload.${name}.family=ipv4`, second)).to.deep.equal([
      ["workload.another", "an application over IPv6 at phone"],
    ]);
  });

  it("are the same each time, and plain data", () => {
    const first = plan(load("wifi-3g"));
    expect(plan(load("wifi-3g"))).to.deep.equal(first);
    expect(JSON.parse(JSON.stringify(first))).to.deep.equal(first);
  });
});

describe("realisation of links", () => {
  it("counts a buffer's time in bytes of the rate", () => {
    expect(link(plan(load("wifi-3g")), "wifi").backward.queue).to.deep.equal({ bytes: 80_000 });
    expect(link(plan(load("wifi-3g")), "3g").backward.queue).to.deep.equal({ bytes: 500_000 });
  });

  it("uses netem where there is one and nothing random is asked for", () => {
    const withNetem = { ...onThisMachine, abilities: { netem: true } };
    expect(plan(load("wifi-3g"), withNetem).links.map(({ realisation }) => realisation)).to.deep.equal([
      "netem",
      "netem",
      "direct",
      "direct",
      "direct",
    ]);
    const lossy = load("wifi-3g", "faults=[{ at: 1s, link: wifi, do: set, to: { loss: 1% } }]");
    expect(link(plan(lossy, withNetem), "wifi").realisation).to.equal("emulated");
  });

  it("gives links with a trace to the emulator, which can begin it with the run", () => {
    const { topology, ...experiment } = load("wifi-3g");
    const { wifi, ...others } = topology.topology.links;
    const trace = { generate: "lte-driving", durationMicroseconds: 5e6 } as const;
    const links = { ...others, wifi: { ...wifi!, shape: { up: { trace }, down: { trace } } } };
    const traced = { ...experiment, topology: { ...topology, topology: { ...topology.topology, links } } };
    const planned = link(plan(traced, { ...onThisMachine, abilities: { netem: true } }), "wifi");
    expect(planned).to.include({ realisation: "emulated", measured: true });
    const { trace: drawn, rateBitsPerSecond } = planned.forward;
    expect(rateBitsPerSecond).to.equal(Math.round((drawn!.opportunitiesMilliseconds.length * 1514 * 8) / 5));
  });

  it("puts the emulator into a plain link that a fault silences", () => {
    const silenced = plan(load("wifi-3g", "faults=[{ at: 1s, link: lan, do: blackhole }]"));
    expect(link(silenced, "lan")).to.include({ realisation: "emulated", measured: false });
    expect(link(silenced, "lan").ends[0].emulatorInterface).to.be.a("string");
    expect(link(silenced, "wifi-uplink").realisation).to.equal("direct");
  });

  it("keeps what a `set` does not name", () => {
    const { faults } = plan(
      load(
        "wifi-3g",
        "faults=[{ at: 2s, link: wifi, do: set, to: { rate: 4mbit } }, { at: 1s, link: wifi, do: set, to: { down: { delay: 30ms } } }]",
      ),
    );
    expect(faults.map(({ atMicroseconds }) => atMicroseconds)).to.deep.equal([1e6, 2e6]);
    expect(faults[1]!.backward)
      .to.include({ rateBitsPerSecond: 4e6, delayMicroseconds: 30_000 })
      .and.to.deep.include({ queue: { bytes: 40_000 } });
    expect(faults[1]!.forward).to.include({ rateBitsPerSecond: 4e6, delayMicroseconds: 10_000 });
  });
});

describe("hosts", () => {
  it("leave their addresses to our stack, or have source routes in the kernel", () => {
    const ours = node(plan(load("wifi-3g")), "phone");
    expect(ours.interfaces.map(({ kernelAddress }) => kernelAddress)).to.deep.equal([false, false]);
    expect(ours.sourceRoutes).to.deep.equal([]);
    const kernel = node(plan(load("wifi-3g", "hosts.phone.endpoint=linux-mptcp")), "phone");
    expect(kernel.interfaces.map(({ kernelAddress }) => kernelAddress)).to.deep.equal([true, true]);
    expect(kernel.sourceRoutes.map(({ from, routes }) => [from, routes.at(-1)!.via])).to.deep.equal([
      ["10.0.1.2", "10.0.1.1"],
      ["10.0.2.2", "10.0.2.1"],
    ]);
  });

  it("open kernel subflows from the client's side only", () => {
    const { nodes } = plan(
      load(
        "wifi-3g",
        "hosts.phone.endpoint=linux-mptcp",
        "hosts.server.endpoint=linux-mptcp",
        "hosts.phone.backup=[cell0]",
      ),
    );
    const [phone, server] = nodes.map(({ endpoint }) => endpoint?.kernelMptcp?.endpoints);
    expect(phone!.map(({ interface: name, flags }) => [name, ...flags])).to.deep.equal([
      ["wifi0", "subflow"],
      ["cell0", "subflow", "backup"],
    ]);
    expect(server).to.deep.equal([]);
  });

  it("signal a multihomed server's further addresses", () => {
    const { nodes } = plan(load("wifi-3g", "hosts.phone.endpoint=linux-mptcp", "workload.download.client=server"));
    expect(nodes[0]!.endpoint!.kernelMptcp!.endpoints).to.deep.equal([
      { address: "10.0.2.2", interface: "cell0", flags: ["signal"] },
    ]);
  });

  it("tell a kernel in its own words what the experiment chooses, and our stack in ours", () => {
    const chosen =
      "notSentLowat: 64KiB, dssChecksum: true, allowJoinInitialAddress: false, maximumAddressesAccepted: 3, synCookies: always";
    const { nodes } = plan(
      load(
        "wifi-3g",
        `hosts.phone={ endpoint: linux-mptcp, autotune: false, ${chosen} }`,
        `hosts.server={ ${chosen} }`,
      ),
    );
    const [phone, server] = nodes;
    expect(phone!.sysctls).to.include({
      "net.mptcp.checksum_enabled": "1",
      "net.mptcp.allow_join_initial_addr_port": "0",
      "net.ipv4.tcp_syncookies": "2",
      "net.ipv4.tcp_notsent_lowat": "65536",
      "net.ipv4.tcp_moderate_rcvbuf": "0",
    });
    expect(phone!.endpoint!.kernelMptcp!.limits.addAddrAccepted).to.equal(3);
    expect(phone!.endpoint).not.to.have.property("options");
    expect(server!.endpoint!.options).to.deep.include({
      notSentLowatBytes: 65_536,
      dssChecksum: true,
      synCookies: "always",
    });
    expect(server!.sysctls).not.to.have.property("net.mptcp.checksum_enabled");
  });

  it("keep MPTCP on whatever happens, and pin the congestion control", () => {
    const { sysctls } = node(
      plan(load("wifi-3g", "hosts.phone={ endpoint: linux-mptcp, congestionControl: reno, receiveBuffer: 6MB }")),
      "phone",
    );
    expect(sysctls).to.include({
      "net.mptcp.blackhole_timeout": "0",
      "net.ipv4.tcp_congestion_control": "reno",
      "net.ipv4.tcp_rmem": "4096 131072 6000000",
      "net.ipv4.tcp_no_metrics_save": "1",
    });
  });
});

describe("workloads and faults", () => {
  it("get ports that do not clash", () => {
    const { workloads } = plan(
      load(
        "wifi-3g",
        "workload.second={ kind: bulk, from: server, to: phone, size: 1MB, port: 5001 }",
        "workload.third={ kind: bulk, from: server, to: phone, size: 1MB }",
      ),
    );
    expect(workloads.map(({ port }) => port)).to.deep.equal([5002, 5001, 5003]);
  });

  it("ask as often as fits into the duration", () => {
    expect(plan(load("request-response")).workloads[0]).to.include({ kind: "request-response", count: 75 });
  });

  it("take a host's interface down, not the router's", () => {
    const { faults } = plan(load("wifi-3g-failover", "faults=[{ at: 10s, link: wifi, do: down }]"));
    expect(faults[0]!.interfaces).to.deep.equal([{ node: "phone", interface: "wifi0" }]);
  });
});

describe("what a substrate cannot do", () => {
  it("is told at the key that asks for it", () => {
    const loaded = load("wifi-3g", "hosts.phone.endpoint=linux-tcp");
    const result = planExperiment(loaded, { ...onThisMachine, substrate: "simulation" });
    expect(result.ok ? "" : formatDiagnostics(result.diagnostics)).to.equal(
      '--set:1:22: hosts.phone.endpoint: found "linux-tcp" on the simulation, expected pathlab or pathlab-tcp there; a kernel cannot be simulated; run it --on namespaces or --on containers\n',
    );
  });

  it("are programs of a machine, but on what has a kernel and real time", () => {
    const result = planExperiment(load("video-unmodified"), { ...onThisMachine, substrate: "simulation" });
    expect(result.ok ? "" : formatDiagnostics(result.diagnostics).replace(/^.*?experiments/, "experiments")).to.equal(
      "experiments/video-unmodified.yaml:20:11: workload.video.kind: found application on the simulation, expected bulk, stream or request-response there; " +
        "a program that nobody changed needs a kernel and real time; run it --on namespaces, or say by one of these what it sends\n",
    );
  });

  it("are losses by number, but on the simulation", () => {
    const setting = "faults=[{ at: 1s, link: wifi, do: set, to: { loss: { packets: [3] } } }]";
    const { experiment, topology } = load("wifi-3g", setting);
    const refused = makePlan(experiment, topology.topology, onThisMachine);
    expect(refused.ok ? [] : refused.complaints.map(({ path, found }) => [path, found])).to.deep.equal([
      [["faults", 0, "to"], "link wifi with losses by number on namespaces"],
    ]);
    expect(makePlan(experiment, topology.topology, { ...onThisMachine, substrate: "simulation" }).ok).to.equal(true);
  });

  it("does not concern hosts that speak pathlab", () => {
    expect(planExperiment(load("wifi-3g"), { ...onThisMachine, substrate: "simulation" }).ok).to.equal(true);
  });

  it("a lab without a proper number is a mistake of the caller", () => {
    expect(() => plan(load("wifi-3g"), { ...onThisMachine, lab: "xyz" })).to.throw(RangeError);
  });
});
