import { expect } from "chai";
import { payloadSha256 } from "../../../stack/endpoint/workload/payload.ts";
import { etherType } from "../../../stack/wire/ethernet.ts";
import { Ipv4Header } from "../../../stack/wire/ipv4.ts";
import { tcpChecksumIsRight } from "../../../stack/wire/tcp-parse.ts";
import { decodePcapng } from "../../capture/pcapng-reader.ts";
import type { Plan } from "../../plan/plan.ts";
import { SimulationError } from "./engine.ts";
import { simulationPlan, writtenPlan } from "../../plan/simulation-plans.fixture.ts";
import { megabitsPerSecond, observe, receiverOf } from "./simulation.fixture.ts";

/** The same plan with links that lose packets at random, so that their random numbers show. */
function lossy(plan: Plan): Plan {
  return {
    ...plan,
    links: plan.links.map((link) =>
      link.realisation === "direct"
        ? link
        : { ...link, forward: { ...link.forward, loss: onePercent }, backward: { ...link.backward, loss: onePercent } },
    ),
  };
}
const onePercent = { kind: "bernoulli", probability: 0.01 } as const;

describe("Simulation", function () {
  this.timeout(120_000);

  it("carries a download over both paths at once, every byte in its place", async () => {
    const plan = simulationPlan("wifi-3g");
    const observed = await observe(plan);
    const received = receiverOf(observed, "download client");
    expect(observed.failures).to.deep.equal([]);
    expect(received.bytes).to.equal(24_000_000);
    expect(received.sha256).to.equal(payloadSha256(plan.workloads[0]!.payloadSeed, received.bytes));
    expect(megabitsPerSecond(received)).to.be.within(9.0, 9.6);
    const carried = (link: string) =>
      observed.linkSamples.findLast((sample) => sample.link === link && sample.direction === "backward")!.bytes;
    // 8 and 2 Mbit/s: the shares of the paths are those of their rates.
    expect(carried("wifi") / carried("3g")).to.be.within(3.5, 4.5);
  });

  it("has a video survive the silent death of a path without a stall", async () => {
    const observed = await observe(simulationPlan("wifi-3g-failover"));
    const received = receiverOf(observed, "video client");
    expect(received.bytes).to.equal(5_625_000);
    expect(received.longestGapMicroseconds).to.be.at.most(1_500_000);
    expect(received.playback?.stalls).to.deep.equal([]);
    const faults = observed.events.filter(({ source }) => source === "fault");
    expect(faults.map(({ name, time, detail }) => [name, time, detail?.["doneMicroseconds"]])).to.deep.equal([
      ["fault:blackhole", 10_000_000, 10_000_000],
      ["fault:restore", 20_000_000, 20_000_000],
    ]);
    const dropped = (time: number) =>
      observed.linkSamples.findLast(
        (sample) => sample.link === "wifi" && sample.direction === "backward" && sample.time <= time,
      )!.dropsBlackhole;
    expect(dropped(10_000_000)).to.equal(0);
    expect(dropped(20_000_000)).to.be.above(0);
    expect(dropped(Infinity)).to.equal(dropped(20_000_000));
  });

  it("has a host see its interface go down and come up", async () => {
    const settings = [
      "workload.download.size=8MB",
      "faults=[{at: 2s, link: wifi, do: down}, {at: 4s, link: wifi, do: up}]",
    ];
    const observed = await observe(simulationPlan("wifi-3g", settings));
    expect(receiverOf(observed, "download client").bytes).to.equal(8_000_000);
    const closed = observed.events.find(
      ({ name, subject, detail }) =>
        name === "mptcp:subflow-closed" && subject === "phone" && detail?.["reason"] === "interface-down",
    );
    expect(closed?.time).to.equal(2_000_000);
    const reopened = observed.events.find(
      ({ name, subject, time }) => name === "mptcp:subflow-established" && subject === "phone" && time > 4_000_000,
    );
    expect(reopened, "a new subflow over WiFi").to.exist;
  });

  it("changes a link while it carries packets", async () => {
    const settings = ["workload.download.size=8MB", "faults=[{at: 3s, link: wifi, do: set, to: {rate: 1mbit}}]"];
    const observed = await observe(simulationPlan("wifi-3g", settings));
    const at = (time: number) =>
      observed.linkSamples.findLast(
        (sample) => sample.link === "wifi" && sample.direction === "backward" && sample.time <= time,
      )!.bytes;
    expect(at(3_000_000) - at(2_000_000)).to.be.within(900_000, 1_001_514);
    expect(at(5_000_000) - at(4_000_000)).to.be.within(112_500, 126_514);
  });

  it("does exactly the same again, and something else under another seed", async () => {
    const plan = simulationPlan("wifi-3g", ["workload.download.size=2MB"]);
    const [first, second] = [await observe(plan), await observe(plan)];
    expect(second.fingerprints).to.deep.equal(first.fingerprints);
    const other = await observe(simulationPlan("wifi-3g", ["workload.download.size=2MB", "seed=2"]));
    expect(other.fingerprints.capture).not.to.equal(first.fingerprints.capture);
  });

  it("does the same when two simulations share the event loop", async () => {
    const plan = simulationPlan("request-response");
    const alone = await observe(plan);
    const together = await Promise.all([
      observe(plan),
      observe(plan),
      observe(simulationPlan("wifi-3g", ["workload.download.size=1MB"])),
    ]);
    expect(together[0].fingerprints).to.deep.equal(alone.fingerprints);
    expect(together[1].fingerprints).to.deep.equal(alone.fingerprints);
  });

  it("loses the same packets whatever other hosts there are", async () => {
    const plan = lossy(simulationPlan("wifi-3g", ["workload.download.size=1MB"]));
    const lan = plan.links.find(({ name }) => name === "lan")!;
    const router = plan.nodes.find(({ name }) => name === "internet")!;
    const interfaceTo = (address: string, name: string, mac: string) => ({
      ...router.interfaces[0]!,
      name,
      mac,
      address,
      link: "office",
      offload: false,
    });
    const wider: Plan = {
      ...plan,
      nodes: [
        ...plan.nodes.map((node) =>
          node === router
            ? { ...router, interfaces: [...router.interfaces, interfaceTo("10.0.99.1", "eth9", "02:00:00:00:63:01")] }
            : node,
        ),
        {
          ...plan.nodes.find(({ name }) => name === "server")!,
          name: "bystander",
          interfaces: [{ ...interfaceTo("10.0.99.2", "eth0", "02:00:00:00:63:02"), gateway: "10.0.99.1" }],
        },
      ],
      links: [
        {
          ...lan,
          name: "office",
          realisation: "emulated",
          ends: [
            { node: "internet", interface: "eth9" },
            { node: "bystander", interface: "eth0" },
          ],
          forward: { seed: 5, loss: onePercent },
          backward: { seed: 6, loss: onePercent },
        },
        ...plan.links,
      ],
    };
    const [narrow, wide] = [await observe(plan), await observe(wider)];
    expect(Math.max(...narrow.linkSamples.map(({ dropsLoss }) => dropsLoss))).to.be.above(3);
    expect(wide.results).to.deep.equal(narrow.results);
    expect(wide.linkSamples.filter(({ link }) => link !== "office")).to.deep.equal(narrow.linkSamples);
  });

  it("captures every frame of every host in order of time, with right checksums where the frame is whole", async () => {
    const { capture } = await observe(
      simulationPlan("wifi-3g", ["workload.download.size=60kB", "capture.snapLength=1514"]),
    );
    const names: (string | undefined)[] = [];
    const frames = new Map<string, number>();
    let before = 0;
    for await (const block of decodePcapng([capture])) {
      if (block.type === "interface") names.push(block.name);
      if (block.type !== "packet") continue;
      const name = `${names[block.interfaceId]} ${block.direction}`;
      frames.set(name, (frames.get(name) ?? 0) + 1);
      const time = block.seconds * 1e9 + block.nanoseconds;
      expect(time).to.be.at.least(before);
      before = time;
      const { data } = block;
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      if (view.getUint16(12) !== etherType.ipv4) continue;
      const ip = new Ipv4Header();
      expect(ip.parse(data, view, 14, data.length - 14)).to.equal(true);
      const start = 14 + ip.headerLength;
      expect(tcpChecksumIsRight(data, start, data.length - start, ip.source, ip.destination)).to.equal(true);
    }
    expect(names).to.deep.equal(["phone/wifi0", "phone/cell0", "server/eth0"]);
    // So little overflows no queue: what left a host arrived at the other, but for ARP, which stays on its link.
    const of = (name: string): number => frames.get(name) ?? 0;
    expect(of("phone/wifi0 inbound") + of("phone/cell0 inbound") - 2).to.equal(of("server/eth0 outbound") - 1);
    expect(of("phone/wifi0 outbound") + of("phone/cell0 outbound") - 2).to.equal(of("server/eth0 inbound") - 1);
  });

  it("goes on where a connection cannot be opened, and tells it at its time", async () => {
    const topology = `hosts: { a: {}, b: {} }
routers: { r: {} }
links: { left: { ends: [a, r], rate: 2mbit, delay: 5ms }, right: { ends: [r, b] } }`;
    const experiment = `workload:
  early: { kind: bulk, from: b, to: a, size: 200kB }
  late: { kind: bulk, from: b, to: a, size: 1kB, start: 650ms }
faults:
  - { at: 300ms, link: left, do: down }
  - { at: 1500ms, link: left, do: up }`;
    const { failures, events, results } = await observe(writtenPlan(topology, experiment));
    expect(failures.map(({ workload, role, code }) => [workload, role, code])).to.deep.equal([
      ["late", "client", "ENETUNREACH"],
    ]);
    expect(events.find(({ name }) => name === "workload:error")?.time).to.equal(650_000);
    expect(results["early client"]).to.include({ kind: "receiver", bytes: 200_000 });
  });

  it("ends at the deadline, and says what was not complete", async () => {
    const observed = await observe(simulationPlan("wifi-3g", ["duration=3s"]));
    expect(observed.failures.map(({ role, code }) => [role, code])).to.deep.equal([
      ["client", "ETIME"],
      ["server", "ETIME"],
    ]);
    expect(observed.endedAtMicroseconds).to.equal(3_300_000);
  });

  it("stops when it is told to, with the reason", async () => {
    const stop = new AbortController();
    const running = observe(simulationPlan("wifi-3g"), stop.signal);
    setImmediate(() => stop.abort(new Error("enough")));
    expect(
      await running.then(
        () => undefined,
        (error: Error) => error.message,
      ),
    ).to.equal("enough");
  });

  it("does not begin what was given up before", async () => {
    const stopped = AbortSignal.abort(new Error("too late"));
    const failure = await observe(simulationPlan("wifi-3g-failover"), stopped).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.equal("too late");
  });

  it("refuses to blackhole a direct link", async () => {
    const plan = simulationPlan("wifi-3g");
    const faults = [{ atMicroseconds: 1000, link: "lan", action: "blackhole", reason: "" }] as const;
    const failure = await observe({ ...plan, faults }).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure?.message).to.equal(
      "cannot blackhole lan at 0.001 s: the link lan is direct: nothing stands between its ends that could drop or delay packets",
    );
    expect(failure?.cause).to.be.instanceOf(SimulationError);
  });

  it("is refused by the plan where a host asks for a kernel", () => {
    expect(() => simulationPlan("wifi-3g", ["hosts.server.endpoint=linux-mptcp"])).to.throw(
      'hosts.server.endpoint: found "linux-mptcp" on the simulation, expected pathlab or pathlab-tcp there; a kernel cannot be simulated',
    );
  });
});
