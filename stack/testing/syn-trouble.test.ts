/** Networks that do not like SYNs with MP_CAPABLE: the connection comes about without, soon, and others are not made to pay (RFC 8684 §3.1, §3.7). */

import { expect } from "chai";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { makePair, serverPort, StreamApplication, type Pair, wifi } from "./pair.ts";
import { resetWhen } from "./segment-surgery.ts";
import { dropWhen } from "./wire-tap.ts";

const second = 1_000_000;
const asksForMptcp = (segment: TcpSegment): boolean =>
  segment.has(tcpFlag.syn) && segment.mptcp.has(mptcpPresent.capable);

function connectFrom(pair: Pair, localAddress: string): StreamApplication {
  const { client, network } = pair;
  return new StreamApplication(
    network,
    client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort, localAddress }, network.now),
    10_000,
    false,
  );
}

for (const [what, make, within] of [
  ["dropped", () => dropWhen(asksForMptcp), 8 * second],
  ["answered with a reset", (pair: Pair) => resetWhen(pair.network, pair.links[0]!, asksForMptcp), second],
] as const) {
  describe(`SYNs with the option are ${what} on one path`, () => {
    it(`the connection is plain TCP within ${within / second} s, and the next one over another path speaks MPTCP`, () => {
      const pair = makePair({ paths: [wifi, wifi] });
      const { network, server } = pair;
      pair.links[0]!.up.middlebox = make(pair);
      const listener = server.listen({ port: serverPort }, network.now);
      const accepted: StreamApplication[] = [];
      listener.onConnection = () => accepted.push(new StreamApplication(network, listener.accept()!, 10_000, false));
      const troubled = connectFrom(pair, "10.0.1.2");
      expect(network.run(within, () => troubled.received === 10_000)).to.equal(true);
      const free = connectFrom(pair, "10.0.2.2");
      expect(network.run(second, () => free.received === 10_000)).to.equal(true);
      const again = connectFrom(pair, "10.0.1.2");
      expect(network.run(within, () => again.received === 10_000)).to.equal(true);
      expect([troubled, free, again].map(({ connection }) => connection.info().mptcp)).to.deep.equal([
        false,
        true,
        false,
      ]);
      network.run(second);
      expect(accepted.every(({ received }) => received === 10_000)).to.equal(true);
    });
  });
}
