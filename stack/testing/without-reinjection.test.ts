import { expect } from "chai";
import { converse, makePair, thirdGeneration, wifi } from "./pair.ts";

const second = 1_000_000;

describe("re-injection", () => {
  /** Bytes that the server has got while the faster of two paths has been silent for a while, and after it is back. */
  function receivedDuringSilence(reinjection: boolean): { before: number; during: number; after: number } {
    const pair = makePair({
      paths: [wifi, thirdGeneration],
      client: { reinjection, opportunisticRetransmission: false },
    });
    const { network, links } = pair;
    const conversation = converse(pair, 4_000_000, 1_000);
    const received = (): number => conversation.server()?.received ?? 0;
    network.run(2 * second);
    for (const direction of [links[0]!.up, links[0]!.down]) direction.blackhole = true;
    network.run(second);
    const before = received();
    network.run(4 * second);
    const during = received();
    for (const direction of [links[0]!.up, links[0]!.down]) direction.blackhole = false;
    network.run(300 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    return { before, during, after: received() };
  }

  it("lets the stream go on over the other path (RFC 8684 §3.3.6)", () => {
    const { before, during, after } = receivedDuringSilence(true);
    expect(during).to.be.greaterThan(before);
    expect(after).to.equal(4_000_000);
  });

  it("switched off, the stream waits for the silent path, and loses nothing", () => {
    const { before, during, after } = receivedDuringSilence(false);
    expect(during).to.equal(before);
    expect(after).to.equal(4_000_000);
  });
});
