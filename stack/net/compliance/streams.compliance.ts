import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { MptcpSocket } from "../net.ts";
import { errorOf, type Suite, textOf, thrownBy } from "./implementation.ts";

const echo = (socket: MptcpSocket): void => void socket.pipe(socket);

async function bytesOf(socket: MptcpSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const streams: Suite = (bench) => {
  it("play ping-pong", async () => {
    const server = await bench().listen({ allowHalfOpen: true }, (socket) => {
      socket.setEncoding("utf8").on("data", (text: string) => void socket.write(text.replace("PING", "PONG")));
      socket.on("end", () => socket.end());
    });
    const client = bench().connect(server).setEncoding("utf8");
    for (let i = 0; i < 20; i++) {
      client.write(`PING ${i}`);
      expect(await once(client, "data")).to.deep.equal([`PONG ${i}`]);
    }
    client.end();
    await once(client, "close");
  });

  it("carry every byte, in strings of any encoding, buffers and other arrays of bytes", async () => {
    const server = await bench().listen({ allowHalfOpen: true }, echo);
    const client = bench().connect(server);
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const received = bytesOf(client);
    client.write(all.toString("latin1"), "latin1");
    client.write(all.toString("hex"), "hex");
    client.write(all.toString("base64"), "base64");
    client.write(all);
    client.write(new Uint8Array(all));
    client.end(Buffer.alloc(0));
    expect(await received).to.deep.equal(Buffer.concat([all, all, all, all, all]));
  });

  it("carry what is large, and count it", async () => {
    const text = "π".repeat(300_000);
    const server = await bench().listen({ allowHalfOpen: true }, echo);
    const client = bench().connect(server);
    const finished = once(client, "finish");
    client.write(text.slice(0, 1_000));
    client.end(text.slice(1_000));
    expect(client.bytesWritten).to.equal(600_000);
    expect(await textOf(client)).to.equal(text);
    await finished;
    expect([client.bytesRead, client.bytesWritten]).to.deep.equal([600_000, 600_000]);
  });

  it("let writers use their memory again when a write's callback has come", async () => {
    const { client, accepted } = await bench().connected();
    const rounds = 200;
    const memory = Buffer.alloc(3_000);
    const chunks: Buffer[] = [];
    accepted.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = once(accepted, "end");
    for (let i = 0; i < rounds; i++) {
      memory.fill(i);
      await new Promise((resolve) => client.write(memory, resolve));
    }
    client.end();
    await ended;
    const received = Buffer.concat(chunks);
    expect(received.length).to.equal(rounds * memory.length);
    for (let i = 0; i < rounds; i++)
      expect(
        received.subarray(i * memory.length, (i + 1) * memory.length).every((octet) => octet === i),
        String(i),
      ).to.equal(true);
  });

  it("hold writers back, and tell them when they may go on", async () => {
    const { client, accepted } = await bench().connected();
    accepted.pause();
    // Far more than all buffers on the way take, the kernel's of loopback included: however long it lasts, the rest stays with the writer.
    const written = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < written; i += chunk.length) client.write(chunk);
    expect(client.writableNeedDrain).to.equal(true);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(client.writableLength, "nobody reads").to.be.greaterThan(16 * 1024 * 1024);
    const drained = once(client, "drain");
    let received = 0;
    accepted.on("data", (bytes: Buffer) => (received += bytes.length)).resume();
    await drained;
    client.end();
    await once(accepted, "end");
    expect(received).to.equal(written);
  });

  it("do not read ahead of their reader by more than their high-water mark", async () => {
    const { client, accepted } = await bench().connected({ highWaterMark: 1_000 });
    accepted.pause();
    client.end(Buffer.alloc(100_000));
    accepted.read(0);
    await once(accepted, "readable");
    expect(accepted.readableHighWaterMark).to.equal(1_000);
    expect(accepted.readableLength).to.be.within(1, 65_536);
  });

  it("cork: what is written is not sent before uncork, nor is its order changed", async () => {
    const server = await bench().listen({}, (socket) => {
      socket.cork();
      for (const letter of "abc") socket.write(letter);
      expect(socket.bytesWritten).to.equal(3);
      socket.write(Buffer.from("d"));
      socket.uncork();
      socket.end("e");
    });
    expect(await textOf(bench().connect(server))).to.equal("abcde");
  });

  it("end both ways: end, finish, close, once each", async () => {
    const { client, accepted } = await bench().connected();
    const told: string[] = [];
    for (const event of ["end", "finish", "close"])
      for (const [name, socket] of Object.entries({ client, accepted }))
        socket.on(event, () => told.push(name + event));
    const closed = Promise.all([once(client, "close"), once(accepted, "close")]);
    client.resume();
    accepted.resume();
    client.end();
    expect(await closed).to.deep.equal([[false], [false]]);
    expect(told.toSorted()).to.deep.equal(
      ["end", "finish", "close"].flatMap((event) => [`accepted${event}`, `client${event}`]).toSorted(),
    );
    expect(told.indexOf("clientclose")).to.be.greaterThan(told.indexOf("clientend"));
    expect([client.destroyed, client.readyState]).to.deep.equal([true, "closed"]);
  });

  it("stay open one way with allowHalfOpen", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true }, { allowHalfOpen: true });
    const answer = textOf(client);
    client.end("question");
    expect(await textOf(accepted)).to.equal("question");
    expect([accepted.readyState, accepted.destroyed]).to.deep.equal(["writeOnly", false]);
    accepted.write("long ");
    accepted.end("answer");
    expect(await answer).to.equal("long answer");
  });

  it("without allowHalfOpen end when the peer ends", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true });
    accepted.end();
    client.resume();
    await once(client, "end");
    expect(client.writableEnded).to.equal(true);
    await once(accepted.resume(), "end");
  });

  it("without a reader are told of the end", async () => {
    const { client, accepted } = await bench().connected();
    accepted.end();
    await once(client, "end");
  });

  it("refuse writes after their end, after the peer's, and what is no chunk", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true });
    accepted.end();
    client.resume();
    await once(client, "end");
    const told = new Promise<Error | null | undefined>((resolve) => {
      const failed = once(client, "error");
      client.write("late", (error) => resolve(error));
      failed.catch(() => undefined);
    });
    expect(await told).to.have.property("code", "EPIPE");
    accepted.write("x");
    const ended = errorOf(accepted);
    accepted.write("late");
    expect((await ended).code).to.equal("ERR_STREAM_WRITE_AFTER_END");
    const other = await bench().connected();
    expect(thrownBy(() => other.client.write(null))?.code).to.equal("ERR_STREAM_NULL_VALUES");
    for (const value of [true, false, undefined, 1, [], {}, () => undefined])
      expect(thrownBy(() => other.client.write(value))?.code, typeof value).to.equal("ERR_INVALID_ARG_TYPE");
  });

  it("that never connected cannot be written to, but can end", async () => {
    const { Socket } = bench().net.client;
    const socket = new Socket();
    const error = errorOf(socket);
    socket.write("x");
    expect((await error).code).to.equal("ERR_SOCKET_CLOSED");
    const ended = new Socket();
    expect(ended.writable).to.equal(true);
    ended.end();
    expect(ended.writable).to.equal(false);
  });

  it("tell writers that they were destroyed before they were connected", async () => {
    const server = await bench().listen();
    const client = bench().connect(server);
    const told = new Promise<NodeJS.ErrnoException>((resolve) => {
      client.write("x", (error) => resolve(error as NodeJS.ErrnoException));
    });
    client.destroy();
    expect((await told).code).to.equal("ERR_SOCKET_CLOSED_BEFORE_CONNECTION");
  });

  it("destroyed with an error tell it and close with true; once, however often", async () => {
    const { client } = await bench().connected();
    const failure = new Error("of the application");
    const told: unknown[] = [];
    client.on("error", (error) => told.push(error));
    const closed = new Promise((resolve) => client.on("close", (hadError: boolean) => resolve(told.push(hadError))));
    expect(client.destroy(failure)).to.equal(client);
    client.destroy(new Error("too late"));
    client.destroy();
    await closed;
    expect(told).to.deep.equal([failure, true]);
    expect(client.write("x", () => undefined)).to.equal(false);
  });

  it("answer calls when they are closed", async () => {
    const { client, accepted } = await bench().connected();
    accepted.destroy();
    client.resume();
    await once(client, "close");
    client.setNoDelay();
    client.setKeepAlive();
    client.pause();
    client.resume();
    client.setTimeout(1);
    expect([client.bytesRead, client.pending, client.destroyed]).to.deep.equal([0, true, true]);
    expect(client.ref().unref()).to.equal(client);
  });

  it("destroyed after a write still send it, and the end", async () => {
    const { client, accepted } = await bench().connected();
    const text = textOf(accepted);
    client.write("last words", () => client.destroy());
    expect(await text).to.equal("last words");
  });

  it("destroySoon sends everything first", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true });
    const bytes = bytesOf(accepted);
    client.write(Buffer.alloc(500_000));
    client.destroySoon();
    await once(client, "close");
    expect(await bytes).to.have.length(500_000);
  });

  it("reset, tell the peer ECONNRESET, in either direction", async () => {
    for (const fromServer of [true, false]) {
      const { client, accepted } = await bench().connected();
      const [from, to] = fromServer ? [accepted, client] : [client, accepted];
      const error = errorOf(to.resume());
      expect(from.resetAndDestroy()).to.equal(from);
      expect(from.destroyed).to.equal(true);
      expect(await error).to.include({ code: "ECONNRESET", syscall: "read", errno: -104, message: "read ECONNRESET" });
      from.on("error", () => expect.fail("reset once")).resetAndDestroy();
    }
  });

  it("reset while they connect, do so when they are connected", async () => {
    const errors: Promise<NodeJS.ErrnoException>[] = [];
    const server = await bench().listen({}, (accepted) => void errors.push(errorOf(accepted)));
    const client = bench().connect(server);
    client.resetAndDestroy();
    await once(client, "close");
    if (errors.length === 0) await once(server, "connection");
    expect((await errors[0])?.code).to.equal("ECONNRESET");
  });

  it("do not hear of a reset when they have read the end; a write does", async () => {
    const { client, accepted } = await bench().connected({ allowHalfOpen: true });
    client.on("error", () => undefined).destroy();
    await once(accepted.resume(), "end");
    accepted.write("there is nobody left to read this");
    const told: unknown[] = [];
    accepted.on("error", (error: NodeJS.ErrnoException) => told.push(error.code, error.syscall));
    for (let i = 0; i < 100; i++) await turn();
    expect([accepted.readyState, told]).to.deep.equal(["writeOnly", []]);
    const closed = new Promise((resolve) => accepted.once("close", resolve));
    accepted.write("nor this");
    expect(await closed).to.equal(true);
    expect(told).to.deep.equal(["EPIPE", "write"]);
  });

  it("that were paused when they were accepted have no end before somebody reads", async () => {
    const { client, accepted } = await bench().connected({ pauseOnConnect: true });
    client.resume().end("text");
    await once(client, "finish");
    let ended = false;
    accepted.on("end", () => (ended = true));
    for (let i = 0; i < 100; i++) await turn();
    expect([ended, accepted.bytesRead, accepted.readyState]).to.deep.equal([false, 0, "open"]);
    expect(await textOf(accepted.resume())).to.equal("text");
  });

  it("that have no connection cannot be reset", async () => {
    const { Socket } = bench().net.client;
    const socket = new Socket();
    const error = errorOf(socket);
    socket.resetAndDestroy();
    expect((await error).code).to.equal("ERR_SOCKET_CLOSED");
  });

  it("end in an error of a write when the peer has gone", async () => {
    const { client, accepted } = await bench().connected();
    accepted.resetAndDestroy();
    const told = errorOf(client);
    const writing = setInterval(() => client.write("anybody there?"), 1);
    expect((await told).code).to.be.oneOf(["ECONNRESET", "EPIPE"]);
    clearInterval(writing);
  });

  it("read into the buffer of the application", async () => {
    const message = "hello from a server that says much more than fits";
    const server = await bench().listen({}, (socket) => void socket.end(message));
    const buffer = Buffer.alloc(8);
    const target = { port: server.address()!.port, host: bench().net.serverAddress };
    for (const given of [buffer, () => buffer]) {
      let text = "";
      let calls = 0;
      const socket = bench().net.client.connect({
        ...target,
        onread: {
          buffer: given,
          callback: (bytes, into) => {
            calls++;
            expect(into).to.equal(buffer);
            text += buffer.toString("latin1", 0, bytes);
            if (calls !== 2) return true;
            setTimeout(() => bench().keep(socket).resume(), 5);
            return false;
          },
        },
      });
      socket.on("data", () => expect.fail("there are no data events"));
      await once(socket, "end");
      expect([text, calls >= message.length / 8, socket.bytesRead]).to.deep.equal([message, true, message.length]);
    }
  });

  it("read on into that buffer when read is called, and call back as the socket", async () => {
    const server = await bench().listen({}, (socket) => void socket.end("12345678abc"));
    const texts: string[] = [];
    const buffer = Buffer.alloc(8);
    const socket = bench().connect(server, {
      onread: {
        buffer,
        callback(this: unknown, bytes: number) {
          expect(this).to.equal(socket);
          texts.push(buffer.toString("latin1", 0, bytes));
          setImmediate(() => void socket.read());
          return false;
        },
      },
    });
    await once(socket, "end");
    expect(texts).to.deep.equal(["12345678", "abc"]);
  });

  it("tell what waits to be written by its old name, too, while they are open", async () => {
    const { Socket } = bench().net.client;
    expect(new Socket().bufferSize).to.equal(undefined);
    const { client } = await bench().connected();
    client.cork();
    client.write("abc");
    expect(client.bufferSize).to.equal(3);
    client.destroy();
    expect(client.bufferSize).to.equal(undefined);
  });

  it("serve as streams in a pipeline", async () => {
    const server = await bench().listen({ allowHalfOpen: true }, echo);
    const client = bench().connect(server);
    const received = bytesOf(client);
    await pipeline(Readable.from([Buffer.alloc(100_000, "a"), Buffer.alloc(100_000, "b")]), client, { end: true });
    expect((await received).length).to.equal(200_000);
  });
};
