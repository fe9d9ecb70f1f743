/** The orchestrator's end of a process that speaks NDJSON on stdin and stdout: says lines, waits for those it asked for, keeps the tail of stderr. */
import { createInterface } from "node:readline";
import type { LabProcess } from "../workload/lab-process.ts";

const stderrTailCharacters = 4000;

/** The process said `error`, or ended before it said what was waited for. */
export class LineProcessError extends Error {
  /** The process's own code where it gave one (`ENOSPC`), else `EEXIT`. */
  readonly code: string;

  constructor(process: string, code: string, message: string) {
    super(`${process}: ${message}`);
    this.name = "LineProcessError";
    this.code = code;
  }
}

export class LineClient<Line extends { readonly type: string }> {
  /** The first error line, or an end that nobody asked for. */
  readonly failed: Promise<LineProcessError>;
  readonly ended: Promise<void>;
  readonly #process: LabProcess;
  readonly #listeners = new Set<(line: Line) => void>();
  #stderrTail = "";
  #finishing = false;

  constructor(process: LabProcess) {
    this.#process = process;
    const { promise: failed, resolve: fail } = Promise.withResolvers<LineProcessError>();
    this.failed = failed;
    process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-stderrTailCharacters);
    });
    const lines = createInterface({ input: process.stdout });
    lines.on("line", (text) => {
      const line = JSON.parse(text) as Line & { code?: string; message?: string };
      if (line.type === "error")
        fail(new LineProcessError(process.name, line.code ?? "EPROCESS", line.message ?? "an error without words"));
      for (const listener of this.#listeners) listener(line);
    });
    const drained = new Promise<void>((resolve) => lines.once("close", resolve));
    this.ended = process.exited.then(async ({ code, signal }) => {
      await drained;
      if (this.#finishing) return;
      const words = this.#stderrTail.trim();
      fail(
        new LineProcessError(
          process.name,
          "EEXIT",
          `ended with ${signal ?? `code ${code}`}${words === "" ? "" : `: ${words}`}`,
        ),
      );
    });
  }

  get stderrTail(): string {
    return this.#stderrTail;
  }

  onLine(listener: (line: Line) => void): void {
    this.#listeners.add(listener);
  }

  say(value: unknown): void {
    this.#process.stdin.write(`${JSON.stringify(value)}\n`);
  }

  /** The next line of this type; rejects with `LineProcessError`, or with the signal's reason. */
  async next<Type extends Line["type"]>(type: Type, signal?: AbortSignal): Promise<Extract<Line, { type: Type }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<Line, { type: Type }>>();
    const listener = (line: Line): void => {
      if (line.type === type) resolve(line as Extract<Line, { type: Type }>);
    };
    const aborted = (): void => reject(signal?.reason as Error);
    this.#listeners.add(listener);
    signal?.addEventListener("abort", aborted, { once: true });
    void this.failed.then(reject);
    try {
      signal?.throwIfAborted();
      return await promise;
    } finally {
      this.#listeners.delete(listener);
      signal?.removeEventListener("abort", aborted);
    }
  }

  /** Ends its stdin, which ends it; resolves when it has ended and said its last. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#process.stdin.end();
    await this.ended;
  }
}
