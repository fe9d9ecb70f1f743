import { LineSplitter } from "../../stack/endpoint/ndjson.ts";
import type { EndpointCommand, EndpointRecord } from "../../stack/endpoint/protocol.ts";
import type { LabProcess } from "./lab-process.ts";

const stderrTailCharacters = 4000;

/** The endpoint's own word for it, and those of nsenter and of shells for a program that is not there or may not be run. */
const machineLacks: ReadonlySet<number | null> = new Set([3, 126, 127]);

/** An endpoint did not start, or broke the protocol, or ended when it should not. */
export class EndpointError extends Error {
  readonly host: string;
  /** As in the endpoint's error record (EPERM, EADDRINUSE …); EEXIT when it ended without a word. */
  readonly code: string;
  /** The machine lacks something, as opposed to a mistake of ours. */
  readonly machine: boolean;

  constructor(host: string, code: string, message: string, machine: boolean) {
    super(`endpoint of ${host}: ${message}`);
    this.name = "EndpointError";
    this.host = host;
    this.code = code;
    this.machine = machine;
  }
}

/** The conversation with one endpoint program. */
export class EndpointSession {
  readonly host: string;
  /** Every record as it comes. */
  onRecord: (record: EndpointRecord) => void = () => undefined;
  /** Resolves when the program has ended and all that it said has been heard; with an error when nobody had told it to stop. */
  readonly ended: Promise<EndpointError | undefined>;
  readonly #process: LabProcess;
  readonly #lines = new LineSplitter();
  readonly #expectations = new Set<{
    matches: (record: EndpointRecord) => boolean;
    resolve: (record: EndpointRecord) => void;
  }>();
  #stderr = "";
  #lastError: { readonly code: string; readonly message: string } | undefined;
  #protocolError: Error | undefined;
  #stopping = false;

  constructor(host: string, process: LabProcess) {
    this.host = host;
    this.#process = process;
    process.stderr.setEncoding("utf8");
    process.stderr.on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrTailCharacters);
    });
    process.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    const silent = Promise.all(
      [process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.once("close", resolve))),
    );
    this.ended = Promise.all([process.exited, silent]).then(([{ code, signal }]) => this.#verdict(code, signal));
  }

  /** The last of what it wrote to its stderr. */
  get stderrTail(): string {
    return this.#stderr;
  }

  say(command: EndpointCommand): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** Resolves with the first record from now on that matches; rejects with EndpointError when the program ends before, or with the signal's reason. */
  async next(matches: (record: EndpointRecord) => boolean, signal: AbortSignal): Promise<EndpointRecord> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<EndpointRecord>();
    const expectation = { matches, resolve };
    const aborted = (): void => reject(this.#abortReason(signal.reason as Error));
    this.#expectations.add(expectation);
    signal.addEventListener("abort", aborted, { once: true });
    void this.ended.then((error) => reject(error ?? new EndpointError(this.host, "EEXIT", "was stopped", false)));
    try {
      return await promise;
    } finally {
      this.#expectations.delete(expectation);
      signal.removeEventListener("abort", aborted);
    }
  }

  /** Says `stop` and waits; kills what has not ended after `patienceMilliseconds`. */
  async stop(patienceMilliseconds = 2000): Promise<void> {
    if (!this.#stopping) this.say({ do: "stop" });
    this.#stopping = true;
    const timer = setTimeout(() => void this.#process.kill("SIGKILL"), patienceMilliseconds);
    await this.ended;
    clearTimeout(timer);
  }

  #abortReason(reason: Error): Error {
    return reason.name === "TimeoutError"
      ? new EndpointError(this.host, "ETIMEDOUT", "did not answer in time", true)
      : reason;
  }

  #read(chunk: Uint8Array): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#hear(JSON.parse(line) as EndpointRecord);
    } catch (error) {
      this.#protocolError ??= error as Error;
      void this.#process.kill("SIGKILL");
    }
  }

  #hear(record: EndpointRecord): void {
    if (record.type === "error" && record.workload === undefined) this.#lastError = record;
    this.onRecord(record);
    for (const { matches, resolve } of this.#expectations) if (matches(record)) resolve(record);
  }

  #verdict(code: number | null, signal: string | null): EndpointError | undefined {
    if (this.#protocolError !== undefined)
      return new EndpointError(this.host, "EPROTO", this.#protocolError.message, false);
    if (this.#stopping) return undefined;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const tail = this.#stderr.trim() === "" ? "" : `; it last wrote: ${this.#stderr.trim()}`;
    const said = this.#lastError === undefined ? "" : `: ${this.#lastError.message}`;
    return new EndpointError(
      this.host,
      this.#lastError?.code ?? "EEXIT",
      `ended unexpectedly (${how})${said}${tail}`,
      machineLacks.has(code),
    );
  }
}
