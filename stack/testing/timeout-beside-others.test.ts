import { expect } from "chai";
import { Lia } from "../congestion/lia.ts";
import { converse, makePair, thirdGeneration, wifi } from "./pair.ts";

const second = 1_000_000;

describe("a subflow that timed out while another lives", () => {
  /** The client's first subflow after its path has been silent for so long, as soon as it is heard of again. */
  function afterSilence(microseconds: number): { timeouts: number; slowStartThreshold: number; coupling: boolean[] } {
    const coupling: boolean[] = [];
    class Watched extends Lia {
      override setActive(active: boolean): void {
        super.setActive(active);
        if (coupling.at(-1) !== active) coupling.push(active);
      }
    }
    const congestionControl = (group: ConstructorParameters<typeof Lia>[0]): Lia => new Watched(group);
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { congestionControl } });
    const { network, links } = pair;
    const conversation = converse(pair, 20_000_000, 1_000);
    const subflow = () => conversation.client.connection.info().subflows.find(({ id }) => id === 0)!;
    network.run(3 * second);
    const before = network.eventsNamed("recovery:rto", pair.client).length;
    const silence = (blackhole: boolean): void => {
      for (const direction of [links[0]!.up, links[0]!.down]) direction.blackhole = blackhole;
    };
    silence(true);
    network.run(microseconds);
    silence(false);
    network.run(30 * second, () => network.eventsNamed("scheduler:recovered", pair.client).length > 0);
    return {
      timeouts: network.eventsNamed("recovery:rto", pair.client).length - before,
      slowStartThreshold: subflow().slowStartThreshold,
      coupling,
    };
  }

  it("slow-starts up to half of what was in flight, as any TCP (RFC 5681 §3.1)", () => {
    const { timeouts, slowStartThreshold } = afterSilence(second / 4);
    expect(timeouts).to.equal(1);
    expect(slowStartThreshold).to.be.within(2_000, 100_000);
  });

  it("begins anew where the path was silent for longer", () => {
    const { timeouts, slowStartThreshold } = afterSilence(5 * second);
    expect(timeouts).to.be.at.least(2);
    expect(slowStartThreshold).to.equal(Number.POSITIVE_INFINITY);
  });

  it("stays in the coupling of windows until it has timed out again (RFC 6356 §3)", () => {
    expect(afterSilence(second / 4).coupling).to.deep.equal([true]);
    expect(afterSilence(5 * second).coupling).to.deep.equal([false, true]);
  });
});
