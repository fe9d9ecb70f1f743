import { realtimeOffsetMicroseconds } from "../../stack/io/clock.ts";
import {
  frameOffset,
  PacketMemory,
  PacketSocket,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  virtioNetHeaderBytes,
} from "../../stack/io/packet-socket.ts";
import { CaptureFile } from "./capture-file.ts";
import { clockComment } from "./clock-comment.ts";
import { completeChecksum } from "./partial-checksum.ts";
import { PcapngEncoder } from "./pcapng-encoder.ts";
import type { CaptureConfig, CapturedInterface, CaptureSummary } from "./protocol.ts";
import { TimeOrderedPackets } from "./time-ordered-packets.ts";

const defaultSnapLength = 192;
const batchFrames = 256;
const receiveBufferBytes = 64 << 20;
const flushMilliseconds = 200;
/** A frame that is read later than this after its arrival may stand behind later ones in the file. */
const reorderMilliseconds = 100;
/** Nothing for so long at the end: all was read. */
const quietMilliseconds = 25;
const longestDrainMilliseconds = 2000;
/** A disk too slow for this much waiting costs packets, not memory; they are counted as drops. */
const bufferLimitBytes = 128 << 20;

type Source = { interface: CapturedInterface; socket: PacketSocket; packets: number; drops: number };

/**
 * Captures all frames, in and out, of interfaces in any namespaces into one pcapng file, in order of the kernel's
 * nanosecond times. A checksum that is still to be completed by the device is completed in the file when the whole
 * frame was captured; of cut frames it stays partial (pcapng has no flag for it; readers don't check cut frames).
 */
export class Capture {
  readonly #file: CaptureFile;
  readonly #sources: Source[] = [];
  readonly #memory: PacketMemory;
  readonly #packets = new TimeOrderedPackets();
  readonly #onFailure: (error: Error) => void;
  readonly #startOffset: number;
  #flushTimer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #batches = 0;
  #stopping = false;

  private constructor(file: CaptureFile, snapLength: number, startOffset: number, onFailure: (error: Error) => void) {
    this.#file = file;
    // Sockets are read one after the other, each batch encoded before the next, so that all share the slots.
    this.#memory = new PacketMemory(batchFrames, frameOffset + snapLength);
    this.#startOffset = startOffset;
    this.#onFailure = onFailure;
  }

  /**
   * Resolves when every interface is being captured.
   *
   * @param onFailure the file could not be written further (once); call {@link stop} then
   * @throws CaptureFileError; Error with code ENODEV, ENOENT, EPERM for an interface
   */
  static async start(config: CaptureConfig, onFailure: (error: Error) => void): Promise<Capture> {
    const snapLength = config.snapLength ?? defaultSnapLength;
    const file = await CaptureFile.create(config.file);
    const startOffset = realtimeOffsetMicroseconds();
    const capture = new Capture(file, snapLength, startOffset, onFailure);
    try {
      const encoder = new PcapngEncoder();
      encoder.sectionHeader(config.application ?? "pathlab", [clockComment(startOffset)]);
      for (const { displayName, description } of config.interfaces)
        encoder.interfaceDescription(displayName, description, snapLength);
      await file.append(encoder.bytes);
      for (const device of config.interfaces) capture.#open(device);
    } catch (error) {
      for (const { socket } of capture.#sources) socket.close();
      await file.close();
      throw error;
    }
    capture.#scheduleFlush();
    return capture;
  }

  get realtimeOffsetMicroseconds(): number {
    return this.#startOffset;
  }

  /** Reads what the kernel still holds, writes everything and the statistics of each interface, closes the file. */
  async stop(): Promise<CaptureSummary> {
    await this.#drain();
    this.#stopping = true;
    clearTimeout(this.#flushTimer);
    for (const source of this.#sources) {
      source.drops += source.socket.drops;
      source.socket.close();
    }
    await this.#writing;
    await this.#append(this.#packets.takeUntil(Infinity, 0));
    await this.#append(this.#statistics());
    await this.#file.close();
    return {
      interfaces: this.#sources.map(({ interface: { displayName }, packets, drops }) => ({
        displayName,
        packets,
        drops,
      })),
      fileBytes: this.#file.length,
      realtimeOffsetMicroseconds: { start: this.#startOffset, end: realtimeOffsetMicroseconds() },
    };
  }

  #open(device: CapturedInterface): void {
    const interfaceId = this.#sources.length;
    const source = { interface: device, packets: 0, drops: 0 } as Source;
    source.socket = new PacketSocket({
      namespacePath: device.namespacePath,
      interfaceName: device.interfaceName,
      memory: this.#memory,
      receiveSlots: Array.from({ length: batchFrames }, (_, slot) => slot),
      ignoreOutgoing: false,
      receiveBufferBytes,
      onBatch: (count, socket) => this.#receive(interfaceId, source, socket, count),
      // An interface that goes down has nothing to capture until it comes up; the socket goes on by itself.
      onError: () => {},
    });
    this.#sources.push(source);
  }

  #receive(interfaceId: number, source: Source, socket: PacketSocket, count: number): void {
    this.#batches++;
    source.packets += count;
    if (this.#failure !== undefined || this.#packets.bytes > bufferLimitBytes) {
      source.drops += count;
      return;
    }
    const { bytes, view } = this.#memory;
    for (let i = 0; i < count; i++) {
      const start = this.#memory.frameStart(socket.slot(i));
      const length = socket.length(i);
      const originalLength = socket.originalLength(i);
      const header = start - virtioNetHeaderBytes;
      const needsChecksum = (view.getUint8(header) & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
      // One checksum over a super-packet would belong to none of its segments.
      const isSegment = view.getUint8(header + 1) === 0;
      if (needsChecksum && isSegment && length === originalLength)
        completeChecksum(bytes, start, length, view.getUint16(header + 6, true), view.getUint16(header + 8, true));
      this.#packets.add({
        interfaceId,
        seconds: socket.realtimeSeconds(i),
        nanoseconds: socket.realtimeNanoseconds(i),
        bytes,
        start,
        length,
        originalLength,
        direction: socket.isOutgoing(i) ? "outbound" : "inbound",
      });
    }
  }

  #scheduleFlush(): void {
    this.#flushTimer = setTimeout(() => {
      this.#writing = this.#flush();
    }, flushMilliseconds);
  }

  async #flush(): Promise<void> {
    const settled = Date.now() - reorderMilliseconds;
    await this.#append(this.#packets.takeUntil(Math.floor(settled / 1000), (settled % 1000) * 1e6));
    if (this.#failure === undefined && !this.#stopping) this.#scheduleFlush();
  }

  async #append(blocks: Uint8Array): Promise<void> {
    if (this.#failure !== undefined || blocks.length === 0) return;
    try {
      await this.#file.append(blocks);
    } catch (error) {
      this.#failure = error as Error;
      this.#onFailure(this.#failure);
    }
  }

  /** Lets the event loop read until nothing comes any more, or for so long as a stream that never ends may keep it. */
  async #drain(): Promise<void> {
    const deadline = Date.now() + longestDrainMilliseconds;
    let seen: number;
    do {
      seen = this.#batches;
      await new Promise((resolve) => setTimeout(resolve, quietMilliseconds));
    } while (this.#batches !== seen && Date.now() < deadline && this.#failure === undefined);
  }

  #statistics(): Uint8Array {
    const encoder = new PcapngEncoder();
    const now = Date.now();
    const end = { seconds: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1e6 };
    this.#sources.forEach(({ packets, drops }, interfaceId) =>
      encoder.interfaceStatistics(interfaceId, end, packets, drops),
    );
    return encoder.bytes;
  }
}
