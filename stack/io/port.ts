/** An interface of a host on a device of the kernel: frames in, frames out, whatever the device. */

import { type ChecksumState, checksumState } from "../frame.ts";
import { etherType, ethernetHeaderLength, writeEthernetHeader } from "../wire/ethernet.ts";
import { monotonicMicroseconds } from "./clock.ts";
import {
  PacketMemory,
  PacketSocket,
  superPacketSlotBytes,
  VIRTIO_NET_HDR_F_DATA_VALID,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  virtioNetHeaderBytes,
} from "./packet-socket.ts";
import { TransmitQueue, transmitQueueBytes } from "./transmit-queue.ts";
import { TunDevice } from "./tun-device.ts";

/** Full batches of 256 small frames cost a tenth less processor time than of 64. */
const batchFrames = 256;
const noMac = { high: 0, low: 0 };

export interface PortOptions {
  interfaceName: string;
  namespacePath: string | undefined;
  /** A frame of `length` bytes at `start` of `bytes`, only lent; `now`: CLOCK_MONOTONIC, microseconds, one time a batch. */
  onFrame: (bytes: Uint8Array, start: number, length: number, checksum: ChecksumState, now: number) => void;
  /** After the frames that came together. */
  onBatchEnd: () => void;
  onError: (code: string) => void;
  /** As `DriverOptions.prefault`. */
  prefault?: boolean | undefined;
}

export interface Port {
  readonly interfaceName: string;
  readonly namespacePath: string | undefined;
  readonly queue: TransmitQueue;
  /** Frames that the kernel could not store for us, and frames longer than a slot. */
  readonly receiveDrops: number;
  /** The addresses that the kernel has on the interface are the host's too. Those of a TUN device are of the other end, the kernel's own. */
  readonly sharesAddresses: boolean;
  /** The process may end although the port is open. */
  unref(): void;
  close(): void;
}

/** A network interface, through a packet socket. */
export class PacketPort implements Port {
  readonly interfaceName: string;
  readonly namespacePath: string | undefined;
  readonly queue: TransmitQueue;
  readonly sharesAddresses = true;
  readonly #socket: PacketSocket;
  #oversize = 0;

  /** @throws Error with code ENODEV, ENOENT or EPERM */
  constructor(options: PortOptions) {
    const { interfaceName, namespacePath } = options;
    this.interfaceName = interfaceName;
    this.namespacePath = namespacePath;
    const memory = newMemory(options.prefault);
    this.#socket = new PacketSocket({
      namespacePath,
      interfaceName,
      memory,
      receiveSlots: everySlot(),
      stamped: false,
      onBatch: (count) => this.#receive(count, options),
      onWritable: () => this.queue.flush(true),
      onError: (code) => {
        this.queue.flush(true);
        if (code !== "ENETDOWN") options.onError(code);
      },
    });
    this.queue = new TransmitQueue(this.#socket, memory.headerStart);
  }

  get receiveDrops(): number {
    return this.#socket.drops + this.#oversize;
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#socket.close();
  }

  #receive(count: number, { onFrame, onBatchEnd }: PortOptions): void {
    const socket = this.#socket;
    const { memory } = socket;
    const now = monotonicMicroseconds();
    for (let i = 0; i < count; i++) {
      const length = socket.length(i);
      if (length < socket.originalLength(i)) {
        this.#oversize++;
        continue;
      }
      const start = memory.frameStart(socket.slot(i));
      onFrame(memory.bytes, start, length, receivedChecksum(memory.bytes[start - virtioNetHeaderBytes]!), now);
    }
    onBatchEnd();
  }
}

/** A TUN device: what the kernel routes into it gets an Ethernet header of no meaning, and what leaves loses it. */
export class TunPort implements Port {
  readonly interfaceName: string;
  readonly namespacePath: string | undefined;
  readonly queue: TransmitQueue;
  /** The kernel keeps for us what we have not read, and drops before that. */
  readonly receiveDrops = 0;
  readonly sharesAddresses = false;
  readonly #device: TunDevice;

  /** @throws Error with code ENOENT (no /dev/net/tun), EPERM, EBUSY, EINVAL */
  constructor(options: PortOptions) {
    const { interfaceName, namespacePath } = options;
    this.interfaceName = interfaceName;
    this.namespacePath = namespacePath;
    const memory = newMemory(options.prefault);
    this.#device = new TunDevice({
      namespacePath,
      interfaceName,
      memory,
      receiveSlots: everySlot(),
      onBatch: (count) => this.#receive(count, options),
      onWritable: () => this.queue.flush(true),
      onError: options.onError,
    });
    this.queue = new TransmitQueue(this.#device, memory.headerStart, false);
  }

  unref(): void {
    this.#device.unref();
  }

  close(): void {
    this.#device.close();
  }

  #receive(count: number, { onFrame, onBatchEnd }: PortOptions): void {
    const device = this.#device;
    const { bytes, view } = device.memory;
    const now = monotonicMicroseconds();
    for (let i = 0; i < count; i++) {
      const packet = device.packetStart(i);
      // Before the Ethernet header lies over them.
      const checksum = receivedChecksum(device.offloadFlags(i));
      const start = packet - ethernetHeaderLength;
      const type = bytes[packet]! >>> 4 === 6 ? etherType.ipv6 : etherType.ipv4;
      writeEthernetHeader(view, start, noMac, noMac, type);
      onFrame(bytes, start, ethernetHeaderLength + device.length(i), checksum, now);
    }
    onBatchEnd();
  }
}

function newMemory(prefault = false): PacketMemory {
  const memory = new PacketMemory(batchFrames, superPacketSlotBytes, transmitQueueBytes);
  if (prefault) memory.bytes.fill(0);
  return memory;
}

function everySlot(): number[] {
  return Array.from({ length: batchFrames }, (_, slot) => slot);
}

function receivedChecksum(flags: number): ChecksumState {
  if (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) return checksumState.partial;
  return flags & VIRTIO_NET_HDR_F_DATA_VALID ? checksumState.valid : checksumState.unverified;
}
