import { expect } from "chai";
import { writtenPlan } from "../../plan/simulation-plans.fixture.ts";
import { observe } from "./simulation.fixture.ts";

const rate = 20_000_000;
const network = "generate: { dumbbell: { pairs: 1, rate: 20mbit, delay: 1ms, accessRate: 100mbit } }";
const queueMicroseconds = 20_000;
const experiment = (everyHost: string): string => `everyHost: { ${everyHost} }
traffic: { talk: { pattern: on-off, hosts: [left-0, right-0], on: 1s, off: 1s, duration: 20s } }
faults: [{ at: 0s, link: bottleneck, do: set, to: { buffer: ${queueMicroseconds}us } }]
capture: { enabled: false }`;

describe("on-off traffic", () => {
  for (const hosts of [
    "endpoint: pathlab",
    "endpoint: pathlab-tcp",
    "endpoint: pathlab, pathManager: n-different-ports, subflows: 4",
  ])
    it(`fills the link while it is on, and is silent soon after (${hosts})`, async () => {
      const { workloads, ...plan } = writtenPlan(network, experiment(hosts));
      const { results, failures } = await observe({ ...plan, workloads });
      expect(failures).to.deep.equal([]);
      expect(workloads.length).to.be.above(10);
      const bursts = workloads.map((workload) => {
        const [sender, receiver] = [results[`${workload.name} client`], results[`${workload.name} server`]];
        if (workload.kind !== "bulk" || sender?.kind !== "sender" || receiver?.kind !== "receiver")
          throw new Error(`${workload.name} is no bulk transfer that came to its end`);
        const on = workload.durationMicroseconds!;
        return { on, bits: receiver.bytes * 8, late: receiver.lastByteAt - sender.connectedAt - on };
      });
      // What is not sent yet, what the application has in its hands, and the queues of both directions. Some bursts begin late and share the link with the next.
      const lates = bursts.map(({ late }) => late).toSorted((a, b) => a - b);
      expect(lates[Math.floor(lates.length / 2)]).to.be.below((192 * 1024 * 8e6) / rate + 3 * queueMicroseconds);
      const sum = (of: "on" | "bits"): number => bursts.reduce((total, burst) => total + burst[of], 0);
      expect(sum("bits") / (sum("on") / 1e6)).to.be.within(0.85 * rate, 1.1 * rate);
    });

  it("leaves it to the experiment how much may wait to be sent", () => {
    const options = (everyHost: string): unknown =>
      writtenPlan(network, experiment(everyHost)).nodes.find(({ name }) => name === "left-0")!.endpoint!.options;
    expect(options("endpoint: pathlab")).to.deep.equal({ notSentLowatBytes: 131_072 });
    expect(options("endpoint: pathlab, notSentLowat: 32KiB")).to.deep.equal({ notSentLowatBytes: 32_768 });
  });
});
