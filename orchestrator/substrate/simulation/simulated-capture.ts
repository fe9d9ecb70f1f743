/** The capture of a simulation: every host interface into one pcapng file, on the clock of the simulation, whose zero is the epoch. */
import { CaptureFile } from "../../capture/capture-file.ts";
import { clockComment } from "../../capture/clock-comment.ts";
import { completeChecksum } from "../../capture/partial-checksum.ts";
import { PcapngEncoder, type EncodedPacket } from "../../capture/pcapng-encoder.ts";
import type { Plan, PlannedNode } from "../../plan/plan.ts";
import type { Engine } from "./engine.ts";
import type { FrameTap } from "./simulated-host.ts";

/** Blocks wait in memory until there are so many of them. */
const writeBytes = 1 << 20;

export class SimulatedCapture {
  readonly #file: CaptureFile;
  readonly #engine: Engine;
  readonly #snapLength: number;
  readonly #encoder = new PcapngEncoder(2 * writeBytes);
  readonly #packets: number[] = [];
  readonly #firstInterface = new Map<string, number>();

  private constructor(file: CaptureFile, plan: Plan, engine: Engine) {
    this.#file = file;
    this.#engine = engine;
    this.#snapLength = plan.capture.snapLength;
    this.#encoder.sectionHeader("pathlab", [clockComment(0)]);
    for (const node of plan.nodes) {
      if (node.kind !== "host") continue;
      this.#firstInterface.set(node.name, this.#packets.length);
      for (const { name } of node.interfaces) {
        this.#encoder.interfaceDescription(`${node.name}/${name}`, undefined, this.#snapLength);
        this.#packets.push(0);
      }
    }
  }

  /** @throws CaptureFileError */
  static async create(file: string, plan: Plan, engine: Engine): Promise<SimulatedCapture> {
    return new SimulatedCapture(await CaptureFile.create(file), plan, engine);
  }

  tapOf(node: PlannedNode): FrameTap {
    const firstInterface = this.#firstInterface.get(node.name)!;
    const packet: EncodedPacket = {
      interfaceId: 0,
      seconds: 0,
      nanoseconds: 0,
      bytes: new Uint8Array(0),
      start: 0,
      length: 0,
      originalLength: 0,
      direction: "inbound",
    };
    return (interfaceIndex, frame, whole, direction) => {
      packet.interfaceId = firstInterface + interfaceIndex;
      this.#packets[packet.interfaceId]!++;
      ({ seconds: packet.seconds, nanoseconds: packet.nanoseconds } = this.#now());
      packet.bytes = whole;
      packet.length = Math.min(frame.bytes, this.#snapLength);
      // As in captures of real labs: of a frame that is cut nobody can check the sum, and it stays partial.
      if (frame.checksumStart > 0 && packet.length === frame.bytes) {
        completeChecksum(whole, 0, frame.bytes, frame.checksumStart, frame.checksumOffset);
        const field = frame.checksumStart + frame.checksumOffset;
        frame.memory.set(whole.subarray(field, field + 2), frame.start + field);
        frame.checksumStart = 0;
      }
      packet.originalLength = frame.bytes;
      packet.direction = direction;
      this.#encoder.packet(packet);
    };
  }

  /** Writes what waits, when it is much. @throws CaptureFileError */
  async relieve(): Promise<void> {
    if (this.#encoder.length >= writeBytes) await this.#write();
  }

  /** @throws CaptureFileError */
  async close(): Promise<void> {
    const end = this.#now();
    this.#packets.forEach((packets, interfaceId) => this.#encoder.interfaceStatistics(interfaceId, end, packets, 0));
    try {
      await this.#write();
    } finally {
      await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    await this.#file.append(this.#encoder.bytes);
    this.#encoder.clear();
  }

  #now(): { seconds: number; nanoseconds: number } {
    const nanoseconds = Math.round(this.#engine.now * 1000);
    const seconds = Math.floor(nanoseconds / 1e9);
    return { seconds, nanoseconds: nanoseconds - seconds * 1e9 };
  }
}
