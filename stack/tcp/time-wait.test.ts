import { expect } from "chai";
import { makePair, serverPort, StreamApplication, wifi } from "../testing/pair.ts";

const second = 1_000_000;

/** The client opens and closes `count` connections one after the other; how many it still knows each time. */
function openAndClose(count: number, timeWaitLimit: number, mptcp: boolean) {
  const pair = makePair({ paths: [wifi], client: { tcp: { timeWaitLimit }, mptcp } });
  const { network, client, server } = pair;
  const listener = server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => {
    const connection = listener.accept();
    if (connection !== undefined) new StreamApplication(network, connection, 0, false).endsAfterSending = false;
  };
  const known: number[] = [];
  for (let i = 0; i < count; i++) {
    const connection = client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
    const application = new StreamApplication(network, connection, 1_000, true);
    network.run(second, () => application.established);
    for (const each of server.connections) each.closeWrite(network.now);
    network.run(second, () => application.closed);
    network.run(second);
    known.push(client.connections.length);
  }
  return { pair, known };
}

describe("TIME-WAIT", () => {
  for (const mptcp of [false, true]) {
    it(`keeps no more connections than its limit, ${mptcp ? "MPTCP" : "plain TCP"}: the oldest is forgotten`, () => {
      const { pair, known } = openAndClose(12, 5, mptcp);
      expect(Math.max(...known)).to.equal(5);
      expect(known.at(-1)).to.equal(5);
      pair.network.run(70 * second);
      expect(pair.client.connections).to.have.length(0);
    });
  }
});
