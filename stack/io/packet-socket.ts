import { getSystemErrorName } from "node:util";
import { nativeAddon, type NativeHandle } from "./native/addon.ts";

/** Where the Ethernet frame begins in a slot; the virtio-net header, 10 bytes, ends there. */
export const frameOffset = 16;
/** struct virtio_net_hdr without num_buffers. */
export const virtioNetHeaderBytes = 10;
/** Room for a 64 KiB super-packet with its headers. */
export const superPacketSlotBytes = 66_048;

/** Of messages that lie in the socket's memory as a whole. */
export const noPieces: Int32Array = new Int32Array(0);

const recordBytes = 32;
/** sll_pkttype of a frame that this machine sent (packet(7)). */
const PACKET_OUTGOING = 4;

/** virtio-net header fields (virtio 1.2 §5.1.6). */
export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
export const VIRTIO_NET_HDR_F_DATA_VALID = 2;
export const VIRTIO_NET_HDR_GSO_NONE = 0;
export const VIRTIO_NET_HDR_GSO_TCPV4 = 1;
export const VIRTIO_NET_HDR_GSO_TCPV6 = 4;

/**
 * Memory that packet sockets receive into and send from: `slotCount` slots of `slotBytes`. Several sockets may share
 * one, so that what one received another sends without a copy; who holds which slot is then the owner's business.
 * Behind the slots there may be room for headers to be sent.
 */
export class PacketMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly slotBytes: number;
  readonly slotCount: number;

  constructor(slotCount: number, slotBytes: number, headerBytes = 0) {
    this.slotBytes = slotBytes;
    this.slotCount = slotCount;
    const buffer = new ArrayBuffer(slotCount * slotBytes + headerBytes);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Offset of the frame's first byte in `bytes`. */
  frameStart(slot: number): number {
    return slot * this.slotBytes + frameOffset;
  }

  /** Offset in `bytes` of the room behind the slots. */
  get headerStart(): number {
    return this.slotCount * this.slotBytes;
  }
}

export type PacketSocketOptions = {
  /** The file of the network namespace; undefined for the own one. */
  namespacePath?: string | undefined;
  interfaceName: string;
  memory: PacketMemory;
  /** Slots to receive into, as many as a batch may hold (1…1024). Replace an entry by {@link PacketSocket.refill}. */
  receiveSlots: readonly number[];
  /** Frames come and go with a virtio-net header: partial checksums and segmentation offload (default true). */
  vnetHeader?: boolean;
  /** Without: nothing is known of a frame but its bytes, and a small one costs less (3 %; default true). */
  stamped?: boolean;
  /** Do not hear what this machine sends through the interface (default true). */
  ignoreOutgoing?: boolean;
  /** Hear only this EtherType. */
  etherType?: number;
  /** Default 8 MiB each. */
  receiveBufferBytes?: number;
  sendBufferBytes?: number;
  /** `count` records are ready to be read by the getters; they and their slots are overwritten by the next batch. */
  onBatch: (count: number, socket: PacketSocket) => void;
  /** The socket can take more after {@link PacketSocket.send} stopped at EAGAIN or ENOBUFS. */
  onWritable?: () => void;
  /** ENETDOWN: the interface went down or is gone; packets flow again by themselves when it comes up. */
  onError: (code: string) => void;
};

/**
 * A raw socket on one interface of one namespace (AF_PACKET): whole Ethernet frames, a batch a call, stamped by the
 * kernel. It stays in its namespace, so one process serves many.
 *
 * @throws Error with code ENODEV, EPERM, ENOENT when it cannot be opened
 */
export class PacketSocket {
  readonly memory: PacketMemory;
  readonly #handle: NativeHandle;
  readonly #slots: Uint32Array;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #status = new Int32Array(1);
  #drops = 0;
  #closed = false;

  constructor(options: PacketSocketOptions) {
    this.memory = options.memory;
    this.#slots = Uint32Array.from(options.receiveSlots);
    const records = new ArrayBuffer(this.#slots.length * recordBytes);
    this.#words = new Uint32Array(records);
    this.#doubles = new Float64Array(records);
    const { onBatch, onWritable, onError } = options;
    this.#handle = nativeAddon().openPacketSocket(
      options.namespacePath,
      options.interfaceName,
      {
        vnetHeader: Number(options.vnetHeader ?? true),
        stamped: Number(options.stamped ?? true),
        ignoreOutgoing: Number(options.ignoreOutgoing ?? true),
        etherType: options.etherType ?? 0,
        receiveBufferBytes: options.receiveBufferBytes ?? 8 << 20,
        sendBufferBytes: options.sendBufferBytes ?? 8 << 20,
        slotBytes: this.memory.slotBytes,
        slotCount: this.memory.slotCount,
      },
      this.memory.bytes,
      this.#slots,
      new Uint8Array(records),
      (count, errno) => {
        if (count > 0) onBatch(count, this);
        else if (errno !== 0) onError(getSystemErrorName(-errno));
        else onWritable?.();
      },
    );
  }

  /** Bytes of frame `i` of the batch that are in its slot. */
  length(i: number): number {
    return this.#words[i * 8]!;
  }

  /** Bytes that frame `i` had on the wire; more than {@link length} when the slot was too short. */
  originalLength(i: number): number {
    return this.#words[i * 8 + 1]!;
  }

  /** The frame was sent by this machine, not received (PACKET_OUTGOING). */
  isOutgoing(i: number): boolean {
    const packetType = this.#words[i * 8 + 2];
    return packetType === PACKET_OUTGOING;
  }

  /** The slot that holds frame `i`. */
  slot(i: number): number {
    return this.#words[i * 8 + 3]!;
  }

  /** When the kernel saw frame `i`, CLOCK_REALTIME. */
  realtimeSeconds(i: number): number {
    return this.#words[i * 8 + 4]!;
  }

  realtimeNanoseconds(i: number): number {
    return this.#words[i * 8 + 5]!;
  }

  /** The same instant on CLOCK_MONOTONIC, microseconds. */
  monotonicMicroseconds(i: number): number {
    return this.#doubles[i * 4 + 3]!;
  }

  /** Keeps the slot of frame `i` out of further batches: `slot` takes its place. */
  refill(i: number, slot: number): void {
    this.#slots[i] = slot;
  }

  /**
   * Sends messages in order and returns how many the kernel took; {@link sendError} then tells why it stopped.
   *
   * @param table 4 numbers a message: offset in `memory.bytes` and length of its first bytes (beginning with the
   *   virtio-net header, if the socket has it), first index and number of its pieces
   * @param pieces 3 numbers a piece of payload: index in `memories`, offset and length there
   */
  send(table: Int32Array, count: number, pieces = noPieces, memories: readonly Uint8Array[] = []): number {
    return nativeAddon().send(this.#handle, table, count, pieces, memories, this.#status);
  }

  /** The code that stopped the last {@link send}; undefined when all were sent. */
  get sendError(): string | undefined {
    return this.#status[0] === 0 ? undefined : getSystemErrorName(-this.#status[0]!);
  }

  /** Asks for one `onWritable`. */
  notifyWritable(): void {
    nativeAddon().notifyWritable(this.#handle);
  }

  /** Frames lost so far because the receive buffer was full. */
  get drops(): number {
    if (!this.#closed) this.#drops += nativeAddon().packetDrops(this.#handle);
    return this.#drops;
  }

  /** The process may end although it is open. */
  unref(): void {
    nativeAddon().setReferenced(this.#handle, false);
  }

  close(): void {
    if (this.#closed) return;
    this.#drops += nativeAddon().packetDrops(this.#handle);
    this.#closed = true;
    nativeAddon().close(this.#handle);
  }
}
