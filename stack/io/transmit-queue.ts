import type { FrameSink, OutgoingFrame } from "../frame.ts";
import { monotonicMicroseconds } from "./clock.ts";
import {
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO_NONE,
  VIRTIO_NET_HDR_GSO_TCPV4,
  VIRTIO_NET_HDR_GSO_TCPV6,
  virtioNetHeaderBytes,
  type PacketMemory,
} from "./packet-socket.ts";
import { etherType, ethernetHeaderLength } from "../wire/ethernet.ts";
import { type MessageOutput, SendBatch } from "./send-batch.ts";
import { SuperPacketMemory } from "./super-packet-memory.ts";

/** virtio-net header, Ethernet, IP and TCP header with all their options. */
const cellBytes = 192;
const cells = 1024;
/** Frames handed to the kernel in one call. */
const flushFrames = 128;

/** Memory that {@link TransmitQueue} needs for one interface. */
export const transmitQueueBytes: number = cells * cellBytes;

/** Frames of a host on their way into one interface's socket: headers copied, payload gathered where it lies. */
export class TransmitQueue implements FrameSink {
  readonly #memory: PacketMemory;
  readonly #start: number;
  /** First bytes of each frame that do not leave. */
  readonly #omitted: number;
  readonly #batch: SendBatch;
  #next = 0;
  #free = cells;
  readonly #superPacketMemory = new SuperPacketMemory();
  /** In the batch. */
  #superPackets = 0;
  #superPacketBytes = 0;
  /** Frames that found the queue full, because the kernel takes none (as of a device's own transmit queue). */
  overruns = 0;

  /**
   * @param start offset in the socket's memory of {@link transmitQueueBytes} for this queue
   * @param linkLayer false: frames leave as packets, without their Ethernet header
   */
  constructor(socket: MessageOutput & { readonly memory: PacketMemory }, start: number, linkLayer = true) {
    this.#memory = socket.memory;
    this.#start = start;
    this.#omitted = linkLayer ? 0 : ethernetHeaderLength;
    this.#batch = new SendBatch(socket, (messages) => (this.#free += messages));
  }

  /** Frames that the kernel refused, by error code: ENOBUFS, ENETDOWN, ENXIO, EMSGSIZE. */
  get failures(): ReadonlyMap<string, number> {
    return this.#batch.failures;
  }

  transmit(frame: OutgoingFrame): void {
    if (this.#batch.length >= flushFrames) this.flush();
    if (this.#free === 0) {
      this.overruns++;
      return;
    }
    this.#free--;
    const at = this.#start + this.#next * cellBytes;
    this.#next = (this.#next + 1) % cells;
    const { bytes, view } = this.#memory;
    const { header, gsoSize, checksumStart } = frame;
    const omitted = this.#omitted;
    const headerLength = frame.headerLength - omitted;
    view.setUint8(at, checksumStart === 0 ? 0 : VIRTIO_NET_HDR_F_NEEDS_CSUM);
    view.setUint8(at + 1, gsoSize === 0 ? VIRTIO_NET_HDR_GSO_NONE : segmentationOf(header));
    view.setUint16(at + 2, gsoSize === 0 ? headerLength : this.#linearLength(headerLength, frame.payloadLength), true);
    view.setUint16(at + 4, gsoSize, true);
    view.setUint16(at + 6, checksumStart === 0 ? 0 : checksumStart - omitted, true);
    view.setUint16(at + 8, frame.checksumOffset, true);
    const copy = at + virtioNetHeaderBytes;
    for (let i = 0; i < headerLength; i++) bytes[copy + i] = header[omitted + i]!;
    this.#batch.add(at, virtioNetHeaderBytes + headerLength);
    for (let i = 0; i < frame.payloadCount; i++)
      this.#batch.addPayload(frame.payloadBuffers[i]!, frame.payloadOffsets[i]!, frame.payloadLengths[i]!);
  }

  flush(writable = false): void {
    if (this.#superPackets === 0) {
      this.#batch.flush(writable);
      return;
    }
    const refused = this.failures.get("ENOBUFS");
    const start = monotonicMicroseconds();
    this.#batch.flush(writable);
    if (this.#batch.length > 0) return;
    if (this.failures.get("ENOBUFS") === refused)
      this.#superPacketMemory.onSent(this.#superPackets, this.#superPacketBytes, monotonicMicroseconds() - start);
    else this.#superPacketMemory.onRefused();
    this.#superPackets = 0;
    this.#superPacketBytes = 0;
  }

  /** What of a super-packet the kernel is to keep in one piece: the headers have to be, of the rest it may make pages. */
  #linearLength(headerLength: number, payloadLength: number): number {
    this.#superPackets++;
    this.#superPacketBytes += payloadLength;
    return this.#superPacketMemory.isOnePiece ? headerLength + payloadLength : headerLength;
  }
}

/** By the EtherType: a super-packet is of TCP over one of the two. */
function segmentationOf(header: Uint8Array): number {
  return header[12] === etherType.ipv6 >> 8 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
}
