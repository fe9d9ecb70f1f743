import { getSystemErrorName } from "node:util";
import { nativeAddon, type NativeHandle } from "./native/addon.ts";
import { noPieces, type PacketMemory, virtioNetHeaderBytes } from "./packet-socket.ts";

/** Where the packet begins in a slot: behind the room for an Ethernet header at the offset that packet sockets use. */
export const packetOffset = 30;

const recordBytes = 16;

export type TunDeviceOptions = {
  /** The file of the network namespace; undefined for the own one. */
  namespacePath?: string | undefined;
  /** Made when it is not there, and gone with {@link TunDevice.close} unless somebody had made it persistent. */
  interfaceName: string;
  memory: PacketMemory;
  /** Slots to receive into, as many as a batch may hold (1…1024). */
  receiveSlots: readonly number[];
  /**
   * Packets come and go with a virtio-net header (default true): the kernel may leave checksums out
   * (VIRTIO_NET_HDR_F_NEEDS_CSUM), and so may we. Without it every packet is complete.
   */
  vnetHeader?: boolean;
  /** With the header: the kernel may hand out TCP segments of up to 64 KiB that are still to be cut (default true). */
  segmentation?: boolean;
  /** `count` packets are ready to be read by the getters; they and their slots are overwritten by the next batch. */
  onBatch: (count: number, device: TunDevice) => void;
  /** The device can take more after {@link TunDevice.send} stopped at EAGAIN. */
  onWritable?: () => void;
  /** ENODEV: the interface was deleted, nothing comes any more. */
  onError: (code: string) => void;
};

/**
 * A TUN interface of a namespace, seen from the wire's end: what the kernel routes into it comes out here, IP packets
 * without a link layer, and what is sent here the kernel receives. The interface is down and without address until
 * somebody configures it. Same shape as a packet socket: slots, batches, a table of messages.
 *
 * @throws Error with code ENOENT (no /dev/net/tun), EPERM, EBUSY (another one holds it), EINVAL (name too long)
 */
export class TunDevice {
  readonly memory: PacketMemory;
  readonly #handle: NativeHandle;
  readonly #slots: Uint32Array;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #status = new Int32Array(1);
  #closed = false;

  constructor(options: TunDeviceOptions) {
    this.memory = options.memory;
    this.#slots = Uint32Array.from(options.receiveSlots);
    const records = new ArrayBuffer(this.#slots.length * recordBytes);
    this.#words = new Uint32Array(records);
    this.#doubles = new Float64Array(records);
    const { onBatch, onWritable, onError } = options;
    this.#handle = nativeAddon().openTun(
      options.namespacePath,
      options.interfaceName,
      {
        vnetHeader: Number(options.vnetHeader ?? true),
        segmentation: Number(options.segmentation ?? true),
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

  /** Bytes of packet `i` of the batch. */
  length(i: number): number {
    return this.#words[i * 4]!;
  }

  /** The slot that holds packet `i`. */
  slot(i: number): number {
    return this.#words[i * 4 + 1]!;
  }

  /** Offset of the first byte of packet `i` in `memory.bytes`. */
  packetStart(i: number): number {
    return this.slot(i) * this.memory.slotBytes + packetOffset;
  }

  /** Flags of the virtio-net header of packet `i`: VIRTIO_NET_HDR_F_NEEDS_CSUM, …; 0 without such headers. */
  offloadFlags(i: number): number {
    return this.memory.bytes[this.packetStart(i) - virtioNetHeaderBytes]!;
  }

  /** When packet `i` was read, CLOCK_MONOTONIC, microseconds. */
  monotonicMicroseconds(i: number): number {
    return this.#doubles[i * 2 + 1]!;
  }

  /**
   * Sends packets in order and returns how many the kernel took; {@link sendError} then tells why it stopped.
   *
   * @param table 4 numbers a packet: offset in `memory.bytes` and length of its first bytes (beginning with the
   *   virtio-net header, if the device has it), first index and number of its pieces
   * @param pieces 3 numbers a piece of payload: index in `memories`, offset and length there
   */
  send(table: Int32Array, count: number, pieces = noPieces, memories: readonly Uint8Array[] = []): number {
    return nativeAddon().writeTun(this.#handle, table, count, pieces, memories, this.#status);
  }

  /** The code that stopped the last {@link send}: EIO while the interface is down; undefined when all were sent. */
  get sendError(): string | undefined {
    return this.#status[0] === 0 ? undefined : getSystemErrorName(-this.#status[0]!);
  }

  /** Asks for one `onWritable`. */
  notifyWritable(): void {
    nativeAddon().notifyWritable(this.#handle);
  }

  /** The process may end although it is open. */
  unref(): void {
    nativeAddon().setReferenced(this.#handle, false);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    nativeAddon().close(this.#handle);
  }
}
