import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { makePair, wifi } from "../testing/pair.ts";
import { connect, createServer, type MptcpSocket } from "./net.ts";
import { stackOf } from "./virtual-hosts.fixture.ts";

interface Ends {
  client: MptcpSocket;
  accepted: MptcpSocket;
  /** Of the client's process: how many want it to go on. */
  readonly holds: () => number;
  /** Lets virtual time pass until `done`. */
  readonly until: (done: () => boolean) => Promise<void>;
}

async function connected(mptcp: boolean): Promise<Ends> {
  const pair = makePair({ paths: [wifi], server: { mptcp } });
  let [holds, accepted] = [0, undefined as MptcpSocket | undefined];
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 20_000 && !done(); i++) {
      pair.network.run(1_000);
      await turn();
    }
    expect(done(), "in twenty seconds of virtual time").to.equal(true);
  };
  // Half open: the server does not answer the client's end with its own.
  const server = createServer(stackOf(pair, pair.server), { allowHalfOpen: true }, (socket) => (accepted = socket));
  server.listen({ port: 80 });
  await once(server, "listening");
  const stack = { ...stackOf(pair, pair.client), hold: () => void holds++, release: () => void holds-- };
  const client = connect(stack, { host: "10.0.100.2", port: 80, allowHalfOpen: true });
  await until(() => accepted !== undefined && !client.connecting);
  return { client, accepted: accepted!, holds: () => holds, until };
}

for (const mptcp of [true, false])
  describe(`a socket that is unref'd, over ${mptcp ? "MPTCP" : "TCP"}`, () => {
    it("keeps the process until its peer has all that was written", async () => {
      const { client, accepted, holds, until } = await connected(mptcp);
      expect(holds()).to.equal(1);
      client.unref();
      expect(holds()).to.equal(0);
      for (const size of [3_000_000, 1]) {
        client.write(Buffer.alloc(size));
        const before = accepted.bytesRead;
        accepted.resume();
        await until(() => holds() === 0);
        expect(accepted.bytesRead).to.equal(before + size);
      }
    });

    it("keeps the process until its peer has the end, too, but not for the peer's", async () => {
      const { client, accepted, holds, until } = await connected(mptcp);
      let ended = false;
      accepted.resume().on("end", () => (ended = true));
      client.unref().end(Buffer.alloc(3_000_000));
      await until(() => holds() === 0);
      expect([accepted.bytesRead, ended, accepted.writable]).to.deep.equal([3_000_000, true, true]);
    });

    it("keeps nothing when the connection is lost before", async () => {
      const { client, accepted, holds, until } = await connected(mptcp);
      client
        .on("error", () => undefined)
        .unref()
        .write(Buffer.alloc(3_000_000));
      expect(holds()).to.equal(1);
      accepted.resetAndDestroy();
      await until(() => holds() === 0);
    });
  });
