/** The gateway as a program: exit codes 0 ended by a signal, 2 usage, 3 the machine lacks something, 4 internal. */
import { setFlagsFromString } from "node:v8";
import { ConfigurationError } from "../../host-options.ts";
import { keepReturningFreedMemory } from "../../io/freed-memory.ts";
import { Gateway, type GatewayRecord } from "./gateway.ts";
import { UsageError } from "../command/failure.ts";
import { parseGatewayOptions, usage } from "./gateway-options.ts";
import { pathHost } from "./path-host.ts";

function emit(record: GatewayRecord): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

function fail(code: number, message: string): never {
  process.stderr.write(`gateway: ${message}\n`);
  process.exit(code);
}

/** `argv`: what follows the word `gateway`. */
export async function runGateway(argv: readonly string[]): Promise<void> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(usage);
    return;
  }
  // What is carried lives outside of V8's heap, and by default each 64 MiB of it are a reason to collect that: it cost two fifths of a gateway's processor time.
  setFlagsFromString("--external-memory-accounted-in-global-limit");
  process.on("uncaughtException", (error) => fail(4, error.stack ?? error.message));
  try {
    const options = parseGatewayOptions(argv);
    const gateway = new Gateway(options, await pathHost(options), emit);
    process.on("exit", () => gateway.close());
    // SIGHUP: the terminal, or the session over the network, has gone.
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
    // Who reads what we tell may go before us.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    await gateway.start();
    keepReturningFreedMemory();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof UsageError || error instanceof ConfigurationError) fail(2, `${message}; see --help`);
    fail(code === undefined ? 4 : 3, message);
  }
}
