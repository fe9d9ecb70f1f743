import { PcapngError, readPcapng } from "../../capture/pcapng-reader.ts";
import type { Plan } from "../../plan/plan.ts";
import { analyseFrames } from "./analyse-frames.ts";
import type { WireFrame } from "./analyse-frames.ts";
import type { WireAnalysis } from "./wire-analysis.ts";

/**
 * Reads `capture.pcapng`, whose interfaces are named `host/interface`. `zeroEpochMicroseconds`: the run's zero on the capture's clock. A file that ends too early is
 * read as far as it goes, and the analysis says so. Rejects where the file cannot be opened.
 */
export async function analyseCapture(file: string, plan: Plan, zeroEpochMicroseconds: number): Promise<WireAnalysis> {
  const capture = new CaptureFrames(file);
  return analyseFrames(capture.frames(), plan, zeroEpochMicroseconds, () => ({
    lostFrames: capture.lostFrames,
    ...(capture.damage === undefined ? {} : { damage: capture.damage }),
  }));
}

class CaptureFrames {
  damage: string | undefined;
  readonly #file: string;
  #hosts: string[] = [];
  #dropped = new Map<number, number>();

  constructor(file: string) {
    this.#file = file;
  }

  /** The last statistics of each interface count; they are totals. */
  get lostFrames(): number {
    return this.#dropped.values().reduce((sum, dropped) => sum + dropped, 0);
  }

  async *frames(): AsyncGenerator<WireFrame> {
    try {
      for await (const block of readPcapng(this.#file)) {
        if (block.type === "interface") this.#hosts[block.interfaceId] = (block.name ?? "").split("/")[0]!;
        else if (block.type === "statistics") this.#dropped.set(block.interfaceId, block.dropped ?? 0);
        else if (block.type === "packet") {
          const epochMicroseconds = block.seconds * 1e6 + block.nanoseconds / 1000;
          yield {
            host: this.#hosts[block.interfaceId]!,
            epochMicroseconds,
            bytes: block.data,
            wireLength: block.originalLength,
          };
        }
      }
    } catch (error) {
      if (!(error instanceof PcapngError)) throw error;
      this.damage = error.message;
    }
  }
}
