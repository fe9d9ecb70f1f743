/** Shipped experiments over IPv6 instead of IPv4, in virtual time. */
import { expect } from "chai";
import { etherType } from "../../../stack/wire/ethernet.ts";
import { ipProtocol } from "../../../stack/wire/ipv4.ts";
import { Ipv6Header } from "../../../stack/wire/ipv6.ts";
import { tcpChecksumIsRight } from "../../../stack/wire/tcp-parse.ts";
import { payloadSha256 } from "../../../stack/endpoint/workload/payload.ts";
import { decodePcapng } from "../../capture/pcapng-reader.ts";
import { simulationPlan } from "../../plan/simulation-plans.fixture.ts";
import { megabitsPerSecond, observe, receiverOf } from "./simulation.fixture.ts";

const overIpv6 = "topology=../topologies/wifi-3g-ipv6.yaml";

describe("Simulation over IPv6", function () {
  this.timeout(120_000);

  it("carries a download over both paths at once, with 20 bytes of header a packet more than over IPv4", async () => {
    const plan = simulationPlan("wifi-3g", [overIpv6]);
    const observed = await observe(plan);
    const received = receiverOf(observed, "download client");
    expect(observed.failures).to.deep.equal([]);
    expect(received.sha256).to.equal(payloadSha256(plan.workloads[0]!.payloadSeed, 24_000_000));
    const overIpv4 = receiverOf(await observe(simulationPlan("wifi-3g")), "download client");
    // Of a full frame 1428 bytes are payload over IPv4 and 1408 over IPv6.
    expect(megabitsPerSecond(received) / megabitsPerSecond(overIpv4)).to.be.closeTo(1408 / 1428, 0.01);
    const paths = observed.samples.flatMap((sample) =>
      sample.kind === "subflow" && sample.host === "phone"
        ? [`${sample.subflow.slice(0, sample.subflow.indexOf("]") + 1)} ${sample.path}`]
        : [],
    );
    expect(new Set(paths)).to.deep.equal(new Set(["[2001:db8:0:1::2] wifi", "[2001:db8:0:2::2] 3g"]));
  });

  it("has a video survive the silent death of a path without a stall", async () => {
    const received = receiverOf(await observe(simulationPlan("wifi-3g-failover", [overIpv6])), "video client");
    expect(received.bytes).to.equal(5_625_000);
    expect(received.longestGapMicroseconds).to.be.at.most(1_500_000);
    expect(received.playback?.stalls).to.deep.equal([]);
  });

  it("has a path come back whose interface went down", async () => {
    const settings = ["faults=[{ at: 5s, link: wifi, do: down }, { at: 10s, link: wifi, do: up }]"];
    const observed = await observe(simulationPlan("wifi-3g-failover", [overIpv6, ...settings]));
    expect(receiverOf(observed, "video client").bytes).to.equal(5_625_000);
    const carriedBy = (time: number) =>
      observed.linkSamples.findLast(
        (sample) => sample.link === "wifi" && sample.direction === "backward" && sample.time <= time,
      )!.bytes;
    expect(carriedBy(9e6)).to.equal(carriedBy(7e6));
    expect(carriedBy(20e6)).to.be.above(carriedBy(9e6) + 500_000);
  });

  it("captures nothing but IPv6 with right checksums, solicitations of neighbours among it", async () => {
    const { capture } = await observe(
      simulationPlan("wifi-3g", [overIpv6, "workload.download.size=60kB", "capture.snapLength=1514"]),
    );
    const protocols = new Map<number, number>();
    for await (const block of decodePcapng([capture])) {
      if (block.type !== "packet") continue;
      const { data } = block;
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      expect(view.getUint16(12)).to.equal(etherType.ipv6);
      const ip = new Ipv6Header();
      expect(ip.parse(view, 14, data.length - 14)).to.equal(true);
      protocols.set(ip.protocol, (protocols.get(ip.protocol) ?? 0) + 1);
      if (ip.protocol !== ipProtocol.tcp) continue;
      expect(tcpChecksumIsRight(data, 54, data.length - 54, ip.source, ip.destination)).to.equal(true);
    }
    // Each of the three interfaces asks for its gateway once, and is answered.
    expect(protocols.get(ipProtocol.icmpv6)).to.equal(6);
    expect([...protocols.keys()]).to.have.members([ipProtocol.icmpv6, ipProtocol.tcp]);
  });
});
