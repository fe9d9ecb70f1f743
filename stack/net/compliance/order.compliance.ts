import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { MptcpSocket } from "../net.ts";
import { type Suite, textOf } from "./implementation.ts";

/** What the process hears of while `during` lasts, instead of the test runner. */
async function uncaughtDuring(during: () => Promise<unknown>): Promise<string[]> {
  const others = process.listeners("uncaughtException");
  const told: string[] = [];
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => told.push(error.message));
  try {
    await during();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const each of others) process.on("uncaughtException", each);
  }
  return told;
}

function noted(socket: MptcpSocket, events: readonly string[]): string[] {
  const told: string[] = [];
  for (const event of events) socket.on(event, () => told.push(event));
  return told;
}

export const order: Suite = (bench) => {
  it("who listens after connect hears of the attempt, then of connect, of what was written before, of ready", async () => {
    const server = await bench().listen({}, (accepted) => void accepted.resume());
    const socket = bench().connect(server);
    const told = noted(socket, ["connectionAttempt", "connect", "ready", "finish"]);
    socket.write("a", () => told.push("written"));
    socket.end(() => told.push("ended"));
    await once(socket.resume(), "close");
    expect(told).to.deep.equal(["connectionAttempt", "connect", "written", "ready", "ended", "finish"]);
    expect(socket.autoSelectFamilyAttemptedAddresses).to.equal(undefined);
  });

  it("a write after the end is told of before finish, which does not come", async () => {
    const { client, accepted } = await bench().connected();
    accepted.resume();
    const told = noted(client, ["finish", "error", "close"]);
    client.end();
    client.write("late", () => told.push("refused"));
    await once(client, "close").catch(() => once(client, "close"));
    expect(told).to.deep.equal(["refused", "error", "close"]);
  });

  it("what was not written when the socket is destroyed is told of later, as ECANCELED, and counted", async () => {
    const { client, accepted } = await bench().connected();
    accepted.on("error", () => undefined).pause();
    const told: unknown[] = [];
    client.write(Buffer.alloc(64 * 1024 * 1024), (error) => told.push((error as NodeJS.ErrnoException).code));
    client.write("x", (error) => told.push((error as NodeJS.ErrnoException).code));
    client.destroy();
    expect(told).to.deep.equal([]);
    await once(client, "close");
    expect(told).to.deep.equal(["ECANCELED", "ECANCELED"]);
    expect(client.bytesWritten).to.equal(64 * 1024 * 1024);
  });

  it("destroyed in the middle of reading it is given nothing more", async () => {
    for (const ownBuffer of [false, true]) {
      const server = await bench().listen({}, (accepted) => {
        accepted.on("error", () => undefined).end(Buffer.alloc(2_000_000));
      });
      let calls = 0;
      let bytes = 0;
      const take = (length: number): void => {
        calls++;
        bytes += length;
        socket.destroy();
      };
      const onread = { buffer: Buffer.alloc(1_000), callback: take };
      const socket = bench().connect(server, ownBuffer ? { onread } : {});
      if (!ownBuffer) socket.on("data", (chunk: Buffer) => take(chunk.length));
      await once(socket, "close");
      await turn();
      expect([calls, socket.bytesRead], String(ownBuffer)).to.deep.equal([1, bytes]);
    }
  });

  it("a server is closed before its last connection tells that it is, and does not count it any more", async () => {
    const { server, client, accepted } = await bench().connected();
    const told = noted(accepted, ["close"]);
    server.on("close", () => told.push("server"));
    server.close(() => told.push("callback"));
    accepted.destroy();
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).to.equal(0);
    await once(accepted, "close");
    expect(told).to.deep.equal(["server", "callback", "close"]);
    client.on("error", () => undefined).destroy();
  });

  it("a server that is closed and listens in the same turn tells of both, and of its end later", async () => {
    const server = await bench().listen();
    const { port } = server.address()!;
    const told: string[] = [];
    for (const event of ["close", "listening"] as const) server.on(event, () => told.push(event));
    server.close();
    server.listen(port, bench().net.serverAddress);
    await once(server, "listening");
    server.close();
    server.close();
    await turn();
    expect(told).to.deep.equal(["close", "listening", "close", "close"]);
  });

  it("what follows from a call is told in the asynchronous context of that call", async () => {
    const context = new AsyncLocalStorage<string>();
    const told: string[] = [];
    const note = (event: string) => (): void => void told.push(`${event} of ${context.getStore()}`);
    const server = bench().keepServer(bench().net.server.createServer());
    server.on("connection", (accepted) => {
      note("connection")();
      accepted.resume().end("answer");
    });
    context.run("listen", () => server.listen(0, bench().net.serverAddress, note("listening")));
    await once(server, "listening");
    const socket = context.run("connect", () => bench().connect(server));
    for (const event of ["connect", "data", "end", "close"]) socket.on(event, note(event));
    await once(socket, "close");
    expect(told.toSorted()).to.deep.equal([
      "close of connect",
      "connect of connect",
      "connection of listen",
      "data of connect",
      "end of connect",
      "listening of listen",
    ]);
    const waiting = await bench().connected();
    const timedOut = once(waiting.client, "timeout");
    context.run("timeout", () => waiting.client.setTimeout(5, note("timeout")));
    await timedOut;
    expect(told.at(-1)).to.equal("timeout of timeout");
  });

  it("a handler that throws is the process's affair: data, the end, and other connections go on", async () => {
    const server = await bench().listen();
    const socket = bench().connect(server);
    const [accepted] = (await once(server, "connection")) as [MptcpSocket];
    const told: string[] = [];
    const thrown = await uncaughtDuring(async () => {
      const closed = once(socket, "close");
      socket.on("end", () => told.push("end"));
      socket.on("data", (chunk: Buffer) => {
        told.push(String(chunk));
        if (told.length === 1) accepted.end("more");
        throw new Error("of data");
      });
      accepted.write("text");
      await closed;
    });
    expect([told, thrown]).to.deep.equal([
      ["text", "more", "end"],
      ["of data", "of data"],
    ]);
  });

  it("a connection's handler that throws leaves the others theirs", async () => {
    let count = 0;
    const server = await bench().listen({}, (accepted) => {
      accepted.end("hello");
      if (count++ === 0) throw new Error("of the first");
    });
    const thrown = await uncaughtDuring(async () => {
      const sockets = Array.from({ length: 3 }, () => bench().connect(server));
      expect(await Promise.all(sockets.map(textOf))).to.deep.equal(["hello", "hello", "hello"]);
    });
    expect(thrown).to.deep.equal(["of the first"]);
  });
};
