import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { makePair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";
import { connect, createServer } from "./net.ts";
import { stackOf } from "./virtual-hosts.fixture.ts";

describe("TCP Fast Open by the calls of node:net", () => {
  it("sends with the SYN what is written in the turn of connect, once the peer's cookie is known", async () => {
    const pair = makePair({ paths: [wifi] });
    const bytesOnSyn: number[] = [];
    pair.links[0]!.up.middlebox = (frame) => {
      const segment = segmentOf(frame);
      if (segment?.has(tcpFlag.syn) === true) bytesOnSyn.push(segment.payloadLength);
      return true;
    };
    const received: string[] = [];
    const server = createServer(stackOf(pair, pair.server), {}, (socket) => {
      socket.on("data", (chunk: Buffer) => void received.push(chunk.toString()));
      socket.resume();
    });
    server.listen({ port: 80, fastOpen: true });
    await once(server, "listening");
    for (const request of ["first", "second", "third"]) {
      const client = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80, fastOpen: true });
      client.end(request);
      client.resume();
      for (let i = 0; i < 1_000 && !client.destroyed; i++) {
        pair.network.run(5_000);
        await turn();
      }
    }
    expect(received).to.deep.equal(["first", "second", "third"]);
    expect(bytesOnSyn).to.deep.equal([0, 6, 5]);
  });
});
