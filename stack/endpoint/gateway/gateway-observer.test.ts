import { expect } from "chai";
import { makePair, serverPort } from "../../testing/pair.ts";
import { type ConnectionRecord, observeConnections } from "./gateway-observer.ts";

/** The clock of a pair's network. */
const clockOf = ({ network }: ReturnType<typeof makePair>) => ({
  now: () => network.now,
  callAt(time: number, callback: () => void): () => void {
    let cancelled = false;
    network.at(time, () => !cancelled && callback());
    return () => (cancelled = true);
  },
  callLater: (callback: () => void) => network.at(network.now, callback),
});

describe("what is seen of a gateway's connections", () => {
  it("is each that is established, at every interval, until nobody looks any more", () => {
    const pair = makePair({ paths: [{ delay: 1_000_000 }] });
    const start = pair.network.now;
    const records: ConnectionRecord[] = [];
    const stop = observeConnections({ host: pair.client }, 700_000, (record) => records.push(record), clockOf(pair));
    pair.server.listen({ port: serverPort }, pair.network.now);
    const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, pair.network.now);
    // Before the answer there is no window.
    expect(connection.info().sendWindow).to.equal(0);
    pair.network.run(10_000_000, () => connection.established);
    expect(records).to.have.length(0);
    const next = start + Math.ceil((pair.network.now - start) / 700_000) * 700_000;
    pair.network.run(next + 700_000 - pair.network.now);
    expect(records.map(({ time, subflows }) => [time, subflows.length])).to.deep.equal([
      [next, 1],
      [next + 700_000, 1],
    ]);
    stop();
    pair.network.run(2_000_000);
    expect(records).to.have.length(2);
  });
});
