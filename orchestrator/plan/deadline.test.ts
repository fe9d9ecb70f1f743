import { expect } from "chai";
import { writtenPlan } from "./simulation-plans.fixture.ts";

const grace = 30;
const megabyteAtMegabit = 8;

function deadlineOf(topology: string, experiment: string): number {
  return writtenPlan(topology, experiment).deadlineMicroseconds / 1e6;
}

const line = (shape: string): string => `hosts: { a: {}, b: {} }
routers: { r: {}, s: {} }
links:
  access: { ends: [a, r] }
  middle: { ends: [r, s], ${shape} }
  lan: { ends: [s, b] }`;

const dumbbell = "generate: { dumbbell: { pairs: 5, rate: 1mbit, delay: 1ms } }";
const upload = (host: string, bytes: string): string =>
  `  file-${host}: { kind: bulk, from: left-${host}, to: right-${host}, size: ${bytes} }`;

describe("the deadline", () => {
  it("leaves a transfer four times what the narrowest link of its path needs, wherever that is", () => {
    const workload = "workload:\n  file: { kind: bulk, from: a, to: b, size: 1MB }";
    expect(deadlineOf(line("rate: 1mbit"), workload)).to.equal(4 * megabyteAtMegabit + grace);
  });

  it("leaves a transfer over a long path that loses packets four times what a TCP makes of it", () => {
    const workload = "workload:\n  file: { kind: bulk, from: a, to: b, size: 1.4MB }";
    // A thousand segments, ten in each round trip of a second.
    expect(deadlineOf(line("rtt: 1s, loss: 1.5%"), workload)).to.be.closeTo(4 * 100 + grace, 1e-3);
    const bursts = "{ gilbertElliott: { goodToBad: 3%, badToGood: 97%, lossBad: 50% } }";
    expect(deadlineOf(line(`rtt: 1s, loss: ${bursts}`), workload)).to.be.closeTo(4 * 100 + grace, 1e-3);
  });

  it("goes by the direction in which the bytes go, and by the least that faults make of it", () => {
    const shape = "down: { rate: 10mbit }, up: { rate: 1mbit }";
    const of = (from: string, to: string): string =>
      `workload:\n  file: { kind: bulk, from: ${from}, to: ${to}, size: 1MB }`;
    expect(deadlineOf(line(shape), of("a", "b"))).to.equal(4 * megabyteAtMegabit + grace);
    expect(deadlineOf(line(shape), of("b", "a"))).to.equal((4 * megabyteAtMegabit) / 10 + grace);
    const slower = "\nfaults: [{ at: 0s, link: middle, do: set, to: { down: { rate: 500kbit } } }]";
    expect(deadlineOf(line(shape), of("b", "a") + slower)).to.equal(4 * megabyteAtMegabit * 2 + grace);
  });

  it("counts all that cross a link, at whatever time", () => {
    const flows = Array.from({ length: 5 }, (_, i) => upload(String(i), "1MB")).join("\n");
    expect(deadlineOf(dumbbell, `workload:\n${flows}`)).to.equal(4 * 5 * megabyteAtMegabit + grace);
  });

  it("gives what sends by the clock the time by which the path is too slow for it", () => {
    const stream = (rate: string): string =>
      `workload:\n  video: { kind: stream, from: a, to: b, rate: ${rate}, duration: 10s }`;
    expect(deadlineOf(line("rate: 1mbit"), stream("900kbit"))).to.equal(10 + grace);
    expect(deadlineOf(line("rate: 1mbit"), stream("2mbit"))).to.equal(10 + 4 * 10 + grace);
    const requests =
      "workload:\n  web: { kind: request-response, client: a, server: b, request: 1kB, response: 100kB, interval: 100ms, count: 20 }";
    expect(deadlineOf(line("rate: 1mbit"), requests)).to.equal(2 + 4 * (2 * megabyteAtMegabit - 2) + grace);
  });

  it("takes the narrowest link of all where a path is nobody's to know", () => {
    const split = `hosts: { a: {}, b: {} }
routers: { r: { balance: packets }, s: {}, t: {}, u: {} }
links:
  access: { ends: [a, r] }
  upper: { ends: [r, s], rate: 2mbit }
  lower: { ends: [r, t], rate: 1mbit }
  upper-out: { ends: [s, u] }
  lower-out: { ends: [t, u] }
  lan: { ends: [u, b] }`;
    const workload = "workload:\n  file: { kind: bulk, from: a, to: b, size: 1MB }";
    expect(deadlineOf(split, workload)).to.equal(4 * megabyteAtMegabit + grace);
  });

  it("is what the experiment says it is", () => {
    const workload = "duration: 7s\nworkload:\n  file: { kind: bulk, from: a, to: b, size: 1MB }";
    expect(deadlineOf(line("rate: 1mbit"), workload)).to.equal(7);
  });
});
