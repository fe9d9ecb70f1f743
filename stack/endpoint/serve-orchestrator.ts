/**
 * The endpoint program inside a lab's host. Commands come as NDJSON on stdin, records go out as NDJSON on stdout (protocol.ts), logs on stderr. It ends with `stop`,
 * and with the end of stdin: when the orchestrator dies, nothing stays alive. Exit codes: 0, 3 the machine lacks something, 4 internal.
 */
import { monotonicClock } from "./clock.ts";
import { exitCode } from "./command/failure.ts";
import { Log } from "./command/log.ts";
import { EndpointProgram } from "./endpoint-program.ts";
import { LineSplitter } from "./ndjson.ts";
import { openTransport } from "./open-transport.ts";
import type { EndpointCommand, EndpointRecord } from "./protocol.ts";

function emit(record: EndpointRecord): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

/** Pipes are written synchronously on Linux, so what was emitted has left the process. */
function exit(code: number): void {
  process.exit(code);
}

function failInternally(error: unknown): void {
  const { code, message, stack } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  new Log("info").error(message ?? String(error), { code, stack });
  emit({ type: "error", time: monotonicClock.now(), code: code ?? "EINTERNAL", message: message ?? String(error) });
  exit(exitCode.internal);
}

export function serveOrchestrator(): void {
  process.on("uncaughtException", failInternally);
  process.on("unhandledRejection", failInternally);
  // The orchestrator has gone: there is nobody to tell.
  process.stdout.on("error", () => exit(0));
  // Only the orchestrator ends a run: Ctrl-C reaches it too, and it will say `stop`.
  process.on("SIGINT", () => undefined);

  const program = new EndpointProgram(emit, exit, openTransport, monotonicClock);
  const lines = new LineSplitter();
  process.stdin.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) program.handle(JSON.parse(line) as EndpointCommand);
  });
  process.stdin.on("end", () => void program.stop());
}
