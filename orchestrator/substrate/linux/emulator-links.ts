/** The emulated links of a lab: the emulator process in the middle namespace, driven by lines. */
import { createInterface } from "node:readline";
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import type {
  EmulatorConfig,
  EmulatorControl,
  EmulatorLine,
  EmulatorQuality,
  LinkStats,
} from "../../path/emulator/protocol.ts";
import type { PlannedLink } from "../../plan/plan.ts";
import { programFile } from "../prerequisites/programs.ts";
import type { LabObserver, LinkQuality } from "../substrate.ts";
import type { LabProcess } from "../../workload/lab-process.ts";
import type { LinkRealisation, MiddleAccess } from "./link-realisation.ts";

/** Distributes over the members of a union, which `Omit` alone does not. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

interface PendingAnswer {
  resolve(answer: EmulatorLine & { type: "answer" }): void;
  reject(error: Error): void;
}

export class EmulatorLinks implements LinkRealisation {
  readonly #links: readonly PlannedLink[];
  readonly #observer: LabObserver;
  readonly #pending = new Map<number, PendingAnswer>();
  /** What each direction lost that it should have carried, as last told to the observer. */
  readonly #troubles = new Map<string, number>();
  #process: LabProcess | undefined;
  #lastId = 0;
  #ready = false;
  #stopping = false;
  /** Why it runs no more. */
  #end: Error | undefined;

  constructor(links: readonly PlannedLink[], observer: LabObserver) {
    this.#links = links;
    this.#observer = observer;
  }

  /** Resolves when the emulator carries packets. */
  async start(access: MiddleAccess): Promise<void> {
    const emulator = await access.spawnInMiddle({
      name: "emulator",
      argv: [process.execPath, programFile("emulator")],
    });
    this.#process = emulator;
    let complaints = "";
    emulator.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    const ended = emulator.exited.then(({ code, signal }) => {
      this.#ended(
        `the link emulator ended (${signal ?? `exit code ${code}`})${complaints && `: ${complaints.trim()}`}`,
      );
      return this.#end;
    });
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: emulator.stdout }).on("line", (line) => {
        const value = JSON.parse(line) as EmulatorLine;
        if (value.type === "ready") {
          this.#ready = true;
          resolve();
        } else if (value.type === "error") {
          reject(new Error(`the link emulator: ${value.message}`));
        }
        this.#take(value);
      });
    });
    this.#write(this.#configuration());
    const end = await Promise.race([ready, ended]);
    if (end !== undefined) throw end;
  }

  /** The emulator ends when its standard input does. */
  stop(): void {
    this.#stopping = true;
    this.#process?.stdin.end();
  }

  async blackhole(link: string): Promise<void> {
    await this.#ask({ do: "blackhole", link, direction: "both" });
  }

  async restore(link: string): Promise<void> {
    await this.#ask({ do: "restore", link, direction: "both" });
  }

  async set(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): Promise<void> {
    const { seed: _unchanged, ...shape } = config;
    await this.#ask({ do: "set", link, direction, config: shape });
  }

  async beginTraces(timeMicroseconds: number): Promise<void> {
    await this.#ask({ do: "begin-traces", timeMicroseconds });
  }

  async sampleEvery(microseconds: number): Promise<void> {
    await this.#ask({ do: "stats", everyMicroseconds: microseconds });
  }

  async quality(): Promise<LinkQuality> {
    const { quality } = (await this.#ask({ do: "quality" })) as { quality: EmulatorQuality };
    const { scheduling, releases, latenessMicroseconds } = quality;
    return {
      realisation: "emulated",
      scheduling:
        scheduling.policy === "fifo" ? `SCHED_FIFO ${scheduling.priority}` : `SCHED_OTHER (${scheduling.reason})`,
      releases,
      latenessMicroseconds,
    };
  }

  #configuration(): EmulatorConfig {
    return {
      links: this.#links.map(({ name, ends, forward, backward }) => ({
        name,
        ends: [{ interfaceName: ends[0].emulatorInterface ?? "" }, { interfaceName: ends[1].emulatorInterface ?? "" }],
        forward,
        backward,
      })),
    };
  }

  #ask(command: WithoutId<EmulatorControl>): Promise<EmulatorLine & { type: "answer" }> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#process === undefined || this.#end !== undefined) {
        reject(this.#end ?? new Error("the link emulator does not run"));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      this.#write({ id, ...command });
    });
  }

  #ended(message: string): void {
    this.#end = new Error(message);
    for (const pending of this.#pending.values()) pending.reject(this.#end);
    this.#pending.clear();
    if (this.#ready && !this.#stopping) this.#observer.problem("emulator", message);
  }

  #write(value: unknown): void {
    this.#process?.stdin.write(`${JSON.stringify(value)}\n`);
  }

  #take(line: EmulatorLine): void {
    if (line.type === "stats") {
      this.#sample(line);
    } else if (line.type === "error" && this.#ready) {
      this.#observer.problem("emulator", line.message);
    } else if (line.type === "answer") {
      const pending = this.#pending.get(line.id);
      this.#pending.delete(line.id);
      if (line.ok) pending?.resolve(line);
      else pending?.reject(new Error(`the link emulator: ${line.message}`));
    }
  }

  #sample(stats: LinkStats & { time: number }): void {
    const { time, link, direction, packets, bytes, dropsQueue, dropsLoss, dropsBlackhole, queueBytes } = stats;
    this.#observer.linkSample({
      time,
      link,
      direction,
      packets,
      bytes,
      dropsQueue,
      dropsLoss,
      dropsBlackhole,
      queueBytes,
    });
    for (const reason of ["dropsOversize", "dropsMemory"] as const) {
      const key = `${link}/${direction}/${reason}`;
      const before = this.#troubles.get(key) ?? 0;
      if (stats[reason] === before) continue;
      this.#troubles.set(key, stats[reason]);
      const cause = reason === "dropsOversize" ? "longer than the MTU" : "for which the emulator had no memory";
      this.#observer.problem("emulator", `link ${link} ${direction}: lost ${stats[reason] - before} packets ${cause}`);
    }
  }
}
