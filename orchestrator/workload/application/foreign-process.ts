import type { LabProcess } from "../lab-process.ts";

/** The end of a log is what is read. */
const logCharacters = 1 << 20;
/** What does not end by being asked is ended. */
const patienceMilliseconds = 2000;

/** A program that knows nothing of us: what it writes is kept for the bundle, and it is ended by a signal. */
export class ForeignProcess {
  readonly #process: LabProcess;
  readonly #written = { stdout: "", stderr: "" };
  /** With all that it wrote. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** What comes on its standard output, as it comes. */
  onOutput: (text: string) => void = () => undefined;

  /** `filter`: what of its standard output is kept, of pieces as they come. `input`: all that it is told. */
  constructor(process: LabProcess, filter: (text: string) => string = (text) => text, input = "") {
    this.#process = process;
    const closed = (["stdout", "stderr"] as const).map((name) => {
      process[name].setEncoding("utf8").on("data", (text: string) => {
        const kept = name === "stdout" ? filter(text) : text;
        this.#written[name] = (this.#written[name] + kept).slice(-logCharacters);
        if (name === "stdout") this.onOutput(text);
      });
      return new Promise((resolve) => process[name].once("close", resolve));
    });
    // Nobody speaks to it beyond that: a program that asks the terminal gets the end of the file. One that ends without reading says why itself.
    process.stdin.on("error", () => undefined).end(input);
    this.ended = Promise.all([process.exited, ...closed]).then(([exit]) => exit);
  }

  get stdout(): string {
    return this.#written.stdout;
  }

  get stderr(): string {
    return this.#written.stderr;
  }

  /** `exit code 1; it last wrote: …`. */
  describeEnd({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
    const words = (this.stderr.trim() || this.stdout.trim()).split("\n").slice(-3).join("; ");
    return `${signal ?? `exit code ${code}`}${words === "" ? "" : `; it last wrote: ${words}`}`;
  }

  /** Asks it to end, and ends it when it does not. May be called twice. */
  async stop(): Promise<void> {
    await this.#process.kill("SIGTERM");
    const timer = setTimeout(() => void this.#process.kill("SIGKILL"), patienceMilliseconds);
    await this.ended;
    clearTimeout(timer);
  }
}
