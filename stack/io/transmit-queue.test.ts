import { expect } from "chai";
import { emptyFrame } from "../frame-writer.ts";
import { PacketMemory } from "./packet-socket.ts";
import { TransmitQueue, transmitQueueBytes } from "./transmit-queue.ts";

const headerLength = 66;

function frame(payloadLength: number, gsoSize: number): ReturnType<typeof emptyFrame> {
  const made = emptyFrame(headerLength);
  made.headerLength = headerLength;
  made.payloadBuffers.push(new Uint8Array(payloadLength));
  made.payloadOffsets.push(0);
  made.payloadLengths.push(payloadLength);
  made.payloadCount = 1;
  made.payloadLength = payloadLength;
  made.gsoSize = gsoSize;
  return made;
}

/** A queue on a kernel that answers with these codes, one a call, and what it was given: hdr_len of each message. */
function queueOn(...codes: string[]): { queue: TransmitQueue; headerLengths: number[] } {
  const memory = new PacketMemory(1, 2_048, transmitQueueBytes);
  const headerLengths: number[] = [];
  const socket = {
    memory,
    sendError: undefined as string | undefined,
    send(table: Int32Array, count: number): number {
      this.sendError = codes.shift();
      const taken = this.sendError === undefined ? count : 0;
      for (let i = 0; i < taken; i++) headerLengths.push(memory.view.getUint16(table[4 * i]! + 2, true));
      return taken;
    },
    notifyWritable(): void {},
  };
  return { queue: new TransmitQueue(socket, memory.headerStart), headerLengths };
}

describe("a transmit queue", () => {
  it("asks the kernel to keep a super-packet in one piece, and of a segment only the headers", () => {
    const { queue, headerLengths } = queueOn();
    queue.transmit(frame(62_000, 1_428));
    queue.transmit(frame(1_428, 0));
    queue.flush();
    expect(headerLengths).to.deep.equal([headerLength + 62_000, headerLength]);
  });

  it("asks for less for a while after the kernel has had no memory", () => {
    const { queue, headerLengths } = queueOn("ENOBUFS");
    queue.transmit(frame(62_000, 1_428));
    queue.flush();
    for (let i = 0; i < 300; i++) {
      queue.transmit(frame(62_000, 1_428));
      queue.flush();
    }
    expect(headerLengths.slice(0, 256)).to.deep.equal(Array.from({ length: 256 }, () => headerLength));
    expect(headerLengths.slice(256)).to.deep.equal(Array.from({ length: 44 }, () => headerLength + 62_000));
  });
});
