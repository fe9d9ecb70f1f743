import { expect } from "chai";
import { SendBatch } from "./send-batch.ts";

/** A kernel by script: each call of `send` takes so many messages and stops with this code. */
class ScriptedSocket {
  readonly sent: { offset: number; payloads: string[] }[] = [];
  readonly script: { takes: number; code?: string }[];
  writableAsked = 0;
  sendError: string | undefined;

  constructor(...script: { takes: number; code?: string }[]) {
    this.script = script;
  }

  send(table: Int32Array, count: number, pieces: Int32Array, memories: readonly Uint8Array[]): number {
    const { takes, code } = this.script.shift() ?? { takes: count };
    const taken = Math.min(takes, count);
    for (let i = 0; i < taken; i++) {
      const [offset, , first, pieceCount] = table.subarray(i * 4, i * 4 + 4);
      const payloads = Array.from({ length: pieceCount! }, (_, piece) => {
        const [memory, start, length] = pieces.subarray((first! + piece) * 3);
        return new TextDecoder().decode(memories[memory!]!.subarray(start, start! + length!));
      });
      this.sent.push({ offset: offset!, payloads });
    }
    this.sendError = code;
    return taken;
  }

  notifyWritable(): void {
    this.writableAsked++;
  }

  get order(): number[] {
    return this.sent.map(({ offset }) => offset);
  }
}

function batchOn(socket: ScriptedSocket): { batch: SendBatch; done: number[] } {
  const done: number[] = [];
  return { batch: new SendBatch(socket, (messages) => done.push(messages)), done };
}

describe("a batch of messages to send", () => {
  it("goes out with one call", () => {
    const socket = new ScriptedSocket();
    const { batch, done } = batchOn(socket);
    for (const offset of [10, 20, 30]) batch.add(offset, 5);
    batch.flush();
    expect(socket.order).to.deep.equal([10, 20, 30]);
    expect(done).to.deep.equal([3]);
    expect(batch.length).to.equal(0);
  });

  it("waits where the kernel takes no more, and goes on in order when it does", () => {
    const socket = new ScriptedSocket({ takes: 1, code: "EAGAIN" });
    const { batch, done } = batchOn(socket);
    for (const offset of [1, 2, 3]) {
      batch.add(offset, 5);
      const payload = new TextEncoder().encode(`payload ${offset}`);
      batch.addPayload(payload, 0, 8);
      batch.addPayload(payload, 8, 1);
    }
    batch.flush();
    expect(socket.writableAsked).to.equal(1);
    batch.add(4, 5);
    batch.flush();
    expect(socket.order, "blocked: nothing may overtake").to.deep.equal([1]);
    batch.flush(true);
    expect(socket.sent).to.deep.equal([
      { offset: 1, payloads: ["payload ", "1"] },
      { offset: 2, payloads: ["payload ", "2"] },
      { offset: 3, payloads: ["payload ", "3"] },
      { offset: 4, payloads: [] },
    ]);
    expect(done).to.deep.equal([1, 3]);
  });

  it("gives up the message that fails, counts it, and sends what is behind it", () => {
    const socket = new ScriptedSocket(
      { takes: 1, code: "ENOBUFS" },
      { takes: 0, code: "ENOBUFS" },
      { takes: 1, code: "EMSGSIZE" },
    );
    const { batch, done } = batchOn(socket);
    for (let offset = 0; offset < 6; offset++) batch.add(offset, 5);
    batch.flush();
    expect(socket.order).to.deep.equal([0, 3, 5]);
    expect(Object.fromEntries(batch.failures)).to.deep.equal({ ENOBUFS: 2, EMSGSIZE: 1 });
    expect(done).to.deep.equal([6]);
  });

  it("holds as many messages as are added", () => {
    const socket = new ScriptedSocket();
    const { batch } = batchOn(socket);
    for (let offset = 0; offset < 1000; offset++) batch.add(offset, 5);
    batch.flush();
    expect(socket.order).to.deep.equal(Array.from({ length: 1000 }, (_, i) => i));
  });
});
