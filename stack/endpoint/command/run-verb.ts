/** One verb from its command line to its exit code. */
import { ConfigurationError } from "../../host-options.ts";
import { NativeBuildError } from "../../io/native/build.ts";
import { Endpoint } from "./endpoint.ts";
import { exitCode, machineErrors, remedyOf, UsageError } from "./failure.ts";
import type { HostArguments } from "./host-arguments.ts";
import { Log } from "./log.ts";
import { loadAlgorithms } from "./own-algorithms.ts";

/** Returns the exit code. Rejects with what it failed of; when `signal` is aborted, with anything. */
export type Work = (endpoint: Endpoint, signal: AbortSignal) => Promise<number>;

/** SIGHUP: the terminal, or the session over the network, has gone. */
const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Does not return: the process ends when the endpoint has said good-bye. A second signal ends it at once. */
export async function runVerb(name: string, options: HostArguments, work: Work): Promise<never> {
  const interruption = new AbortController();
  let interrupted: number | undefined;
  for (const [signal, code] of Object.entries(signals))
    process.once(signal, () => {
      interrupted = code;
      interruption.abort();
    });
  const log = new Log(options.logLevel);
  // Of what nobody waits for: standard input that cannot be read, standard output that takes no more, and mistakes of ours.
  process.on("uncaughtException", (error) => process.exit(tell(log, error)));
  let endpoint: Endpoint | undefined;
  let code: number;
  try {
    endpoint = new Endpoint(name, options, await loadAlgorithms(options));
    await endpoint.serveStatus(name);
    code = await work(endpoint, interruption.signal);
  } catch (error) {
    code = interrupted ?? tell(log, error as NodeJS.ErrnoException);
  }
  await endpoint?.close();
  process.exit(interrupted ?? code);
}

function tell(log: Log, error: NodeJS.ErrnoException): number {
  const code = codeOf(error);
  const remedy = code === exitCode.machine ? remedyOf(error.code) : "";
  log.error(`${error.message}${remedy}`, {
    ...(error.code !== undefined && { code: error.code }),
    ...(code === exitCode.internal && { stack: error.stack }),
  });
  return code;
}

function codeOf(error: NodeJS.ErrnoException): number {
  if (error instanceof UsageError || error instanceof ConfigurationError) return exitCode.usage;
  // --local-address, --local-port
  if (error.syscall === "bind") return exitCode.usage;
  // A peer that refuses, resets or does not answer: what was asked for has failed, and nothing else.
  if (error.syscall === "connect" || error.syscall === "read" || error.syscall === "write") return exitCode.failed;
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") return exitCode.failed;
  const ofMachine =
    error instanceof NativeBuildError || error.syscall === "listen" || machineErrors.has(error.code ?? "");
  return ofMachine ? exitCode.machine : exitCode.internal;
}
