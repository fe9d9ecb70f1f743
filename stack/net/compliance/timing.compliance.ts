import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { MptcpSocket } from "../net.ts";
import { type Suite, thrownBy } from "./implementation.ts";

const fail = (): void => expect.fail("timed out");

export const timing: Suite = (bench) => {
  it("timeout comes after silence, and not once more before something happens", async () => {
    const { client } = await bench().connected();
    let timeouts = 0;
    expect(client.setTimeout(30, () => timeouts++)).to.equal(client);
    expect(client.timeout).to.equal(30);
    client.on("timeout", () => timeouts++);
    await once(client, "timeout");
    expect(timeouts).to.equal(2);
    expect(client.destroyed, "the application decides").to.equal(false);
    client.write("x");
    await once(client, "timeout");
    expect(timeouts, "the callback is called once").to.equal(3);
  });

  it("timeout waits while data come or go", async () => {
    const timeout = 60;
    /** Ten times something comes; undefined: the machine stopped the process for so long that the timeout was right. */
    const attempt = async (): Promise<string[] | undefined> => {
      const { client, accepted } = await bench().connected();
      const order: string[] = [];
      client.setTimeout(timeout, () => order.push("client"));
      client.resume();
      let count = 0;
      let last = performance.now();
      let longest = 0;
      const noteGap = (): void => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      };
      await new Promise<void>((resolve) => {
        const send = (): void => {
          noteGap();
          order.push("data");
          accepted.write("x");
          if (++count === 10) resolve();
        };
        // A clock of the same kind as that of the timeout.
        accepted.setTimeout(20);
        accepted.on("timeout", send);
      });
      accepted.setTimeout(0);
      if (!order.includes("client")) await once(client, "timeout");
      return longest < timeout ? order : undefined;
    };
    let order: string[] | undefined;
    for (let attempts = 0; order === undefined && attempts < 50; attempts++) order = await attempt();
    expect(order).to.deep.equal([...Array.from({ length: 10 }, () => "data"), "client"]);
  });

  it("timeout of 0 is none, and takes its callback back", async () => {
    const { client, accepted } = await bench().connected();
    client.setTimeout(5, fail);
    client.setTimeout(0, fail);
    expect([client.timeout, client.listenerCount("timeout")]).to.deep.equal([0, 0]);
    accepted.setTimeout(20);
    await once(accepted, "timeout");
  });

  it("timeout of a socket that connects, and of the options of connect", async () => {
    const { net } = bench();
    const server = await bench().listen();
    const socket = bench().keep(new net.client.Socket());
    socket.setTimeout(20);
    socket.connect(server.address()!.port, net.serverAddress);
    await once(socket, "timeout");
    await once(bench().connect(server, { timeout: 20 }), "timeout");
  });

  it("timeout does not come any more when the socket is destroyed", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true });
    client.setTimeout(5, () => expect.fail("timed out"));
    client.destroy();
    accepted.setTimeout(20);
    await once(accepted, "timeout");
  });

  it("setTimeout refuses what is no time and what is no callback", async () => {
    const socket = new (bench().net.client.Socket)();
    const set = socket.setTimeout.bind(socket) as (...args: unknown[]) => MptcpSocket;
    for (const value of ["100", true, false, undefined, null, "", {}, () => undefined, []])
      expect(
        thrownBy(() => set(value)),
        JSON.stringify(value),
      ).to.deep.equal({
        code: "ERR_INVALID_ARG_TYPE",
        name: "TypeError",
      });
    for (const value of [-0.001, -1, Number.NEGATIVE_INFINITY, Infinity, Number.NaN])
      expect(
        thrownBy(() => set(value)),
        JSON.stringify(value),
      ).to.deep.equal({ code: "ERR_OUT_OF_RANGE", name: "RangeError" });
    for (const value of [1, "100", true, null, {}])
      expect(thrownBy(() => set(1, value))?.code, JSON.stringify(value)).to.equal("ERR_INVALID_ARG_TYPE");
  });

  it("noDelay and keepAlive are set before, while and after it connects, and by options", async () => {
    const { net } = bench();
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1_000 };
    const server = await bench().listen(options);
    const socket = bench().keep(new net.client.Socket());
    expect(socket.setNoDelay(true).setKeepAlive(true, 1_000).ref().unref()).to.equal(socket);
    socket.connect(server.address()!.port, net.serverAddress);
    expect(socket.setNoDelay(false).setKeepAlive(false)).to.equal(socket);
    await once(socket, "connect");
    expect(socket.setNoDelay().setKeepAlive(true, 5_000).ref().unref()).to.equal(socket);
    await once(bench().connect(server, options), "connect");
    expect(socket.setKeepAlive({ enable: true, initialDelay: 5_000, interval: 2_000, count: 3 })).to.equal(socket);
    expect(socket.setKeepAlive(true, 5_000, 2_000, 3)).to.equal(socket);
    const create = net.server.createServer as (options: unknown) => unknown;
    expect(thrownBy(() => create({ keepAliveInitialDelay: "1" }))?.code).to.equal("ERR_INVALID_ARG_TYPE");
    await turn();
  });

  it("type of service is set by an option and while it is connected; the bits of ECN are not the application's", async () => {
    const { client } = await bench().connected({}, { typeOfService: 0x20 });
    expect(client.getTypeOfService()).to.equal(0x20);
    expect(client.setTypeOfService(0xb8)).to.equal(client);
    expect(client.getTypeOfService()).to.equal(0xb8);
    expect(client.setTypeOfService(0xb9).getTypeOfService()).to.equal(0xb8);
    for (const octet of [-1, 256, 1.5])
      expect(
        thrownBy(() => client.setTypeOfService(octet)),
        String(octet),
      ).to.deep.equal({
        code: "ERR_OUT_OF_RANGE",
        name: "RangeError",
      });
    for (const octet of ["1", undefined, Number.NaN])
      expect(thrownBy(() => client.setTypeOfService(octet as number))?.code, String(octet)).to.equal(
        "ERR_INVALID_ARG_TYPE",
      );
    const { Socket, Stream } = bench().net.client;
    expect(Stream).to.equal(Socket);
    expect(new Socket().getTypeOfService()).to.equal(0);
    expect(thrownBy(() => new Socket({ typeOfService: 300 }))?.code).to.equal("ERR_OUT_OF_RANGE");
  });
};
