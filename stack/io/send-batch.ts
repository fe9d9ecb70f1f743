import type { PacketSocket } from "./packet-socket.ts";

/** What messages leave by: a packet socket or a TUN device. */
export type MessageOutput = Pick<PacketSocket, "send" | "sendError" | "notifyWritable">;

/** Messages in a table before it is handed to the kernel. */
const tableMessages = 256;

/**
 * Messages for one packet socket or TUN device, collected and sent with one system call. Order is kept whatever happens: when the
 * kernel cannot take more (EAGAIN) the rest waits until the socket is writable; a message that fails for a reason of
 * its own (ENOBUFS: the device's queue dropped it; EMSGSIZE; ENETDOWN, ENXIO: the interface is down or gone) is
 * given up, counted, and the next one tried.
 */
export class SendBatch {
  readonly #socket: MessageOutput;
  readonly #onDone: (messages: number) => void;
  #table = new Int32Array(tableMessages * 4);
  #count = 0;
  /** Payload: memory that pieces share in a row stands here once. */
  readonly #memories: Uint8Array[] = [];
  #pieces = new Int32Array(tableMessages * 3);
  #pieceCount = 0;
  #blocked = false;
  /** Messages given up so far, by error code. */
  readonly failures = new Map<string, number>();

  /** @param onDone the first so many messages that were added are sent or given up: their memory is free */
  constructor(socket: MessageOutput, onDone: (messages: number) => void) {
    this.#socket = socket;
    this.#onDone = onDone;
  }

  get length(): number {
    return this.#count;
  }

  /** @param offset of the message's first bytes (virtio-net header included) in the socket's memory */
  add(offset: number, length: number): void {
    const at = this.#count++ * 4;
    if (at === this.#table.length) this.#table = grown(this.#table);
    this.#table[at] = offset;
    this.#table[at + 1] = length;
    this.#table[at + 2] = this.#pieceCount;
    this.#table[at + 3] = 0;
  }

  /** Appends `length` bytes of `memory` to the message added last. They must not change until it is done. */
  addPayload(memory: Uint8Array, offset: number, length: number): void {
    const memories = this.#memories;
    if (memories.length === 0 || memories[memories.length - 1] !== memory) memories.push(memory);
    const at = this.#pieceCount++ * 3;
    if (at === this.#pieces.length) this.#pieces = grown(this.#pieces);
    this.#pieces[at] = memories.length - 1;
    this.#pieces[at + 1] = offset;
    this.#pieces[at + 2] = length;
    this.#table[this.#count * 4 - 1]!++;
  }

  /** Sends what was added; call it again when the socket says that it is writable. */
  flush(writable = false): void {
    if (writable) this.#blocked = false;
    if (this.#count === 0 || this.#blocked) return;
    let done = 0;
    while (done < this.#count) {
      const rest = done === 0 ? this.#table : this.#table.subarray(done * 4);
      done += this.#socket.send(rest, this.#count - done, this.#pieces, this.#memories);
      const code = this.#socket.sendError;
      if (code === undefined) break;
      if (code === "EAGAIN") {
        this.#blocked = true;
        this.#socket.notifyWritable();
        break;
      }
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      done++;
    }
    this.#shift(done);
    if (done > 0) this.#onDone(done);
  }

  #shift(done: number): void {
    if (done < this.#count) {
      this.#table.copyWithin(0, done * 4, this.#count * 4);
    } else {
      this.#memories.length = 0;
      this.#pieceCount = 0;
    }
    this.#count -= done;
  }
}

function grown(table: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(table.length * 2);
  larger.set(table);
  return larger;
}
