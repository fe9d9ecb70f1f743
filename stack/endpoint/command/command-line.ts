/** The endpoint program as a person calls it. Each verb's work is loaded when it is chosen. */
import { Command, CommanderError, Option } from "commander";
import manifest from "../../../package.json" with { type: "json" };
import type { PeerArguments } from "./byte-pipe.ts";
import { exitCode, UsageError } from "./failure.ts";
import { addHostArguments, type HostArguments } from "./host-arguments.ts";
import type { Work } from "./run-verb.ts";
import { parseAddress, parsePort, parseSeconds } from "./values.ts";

type LocalPlace = Pick<PeerArguments, "localAddress" | "localPort">;

const exits = `
Exit codes: 0 done, 1 the transfer failed, 2 a wrong command line, 3 the machine lacks something, 4 a mistake of ours, 129, 130 and 143 after a signal.
Data are on stdout, logs as NDJSON on stderr.`;

/** `argv`: what follows the program's name. Sets the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // Who reads us has had enough (`… --help | head`).
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  // Nor is the loss of the log one of the data.
  process.stderr.on("error", () => undefined);
  try {
    await commandLine().parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.usage;
    else if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n`);
      process.exitCode = exitCode.usage;
    } else throw error;
  }
}

function commandLine(): Command {
  const program = new Command("endpoint")
    .description(
      "Multipath TCP (RFC 8684) between two machines, spoken by pathlab's own stack instead of the kernel's.",
    )
    .version(manifest.version)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .showHelpAfterError("(endpoint --help, or endpoint VERB --help, tells what there is)")
    .addHelpText("after", exits);
  const verb = (name: string, description: string): Command =>
    program.command(name).description(description).addHelpText("after", exits);

  addHostArguments(
    verb(
      "listen",
      "Takes one connection: its bytes to stdout, stdin to it. Ends when both directions have ended.",
    ).argument("<port>", "where peers connect to, on every address of the interfaces", parsePort),
  ).action(async (port: number, options: HostArguments) => {
    const { accepted, pipeBytes } = await import("./byte-pipe.ts");
    await run("listen", options, async (endpoint, signal) =>
      pipeBytes(endpoint, await accepted(endpoint, port, signal)),
    );
  });

  addHostArguments(
    peerArguments(
      verb(
        "connect",
        "Opens a connection: stdin to the peer, its bytes to stdout. Ends when both directions have ended.",
      ),
    ),
  ).action(async (address: string, port: number, options: HostArguments & LocalPlace) => {
    const { connected, pipeBytes } = await import("./byte-pipe.ts");
    const peer = { address, port, ...localPlace(options) };
    await run("connect", options, async (endpoint, signal) =>
      pipeBytes(endpoint, await connected(endpoint, peer, signal)),
    );
  });

  addHostArguments(
    peerArguments(
      verb(
        "send",
        "Sends a file to `receive`, and ends well only if that has all of it, by length and SHA-256.",
      ).argument("<file>", "- for stdin"),
    ),
  ).action(async (file: string, address: string, port: number, options: HostArguments & LocalPlace) => {
    const { sendFile } = await import("./transfer.ts");
    const peer = { address, port, ...localPlace(options) };
    await run("send", options, (endpoint, signal) => sendFile(endpoint, file, peer, signal));
  });

  addHostArguments(
    verb("receive", "Takes one file from `send`, and answers with its length and SHA-256.")
      .argument("<port>", "where the sender connects to", parsePort)
      .argument("<file>", "is overwritten; - for stdout"),
  ).action(async (port: number, file: string, options: HostArguments) => {
    const { receiveFile } = await import("./transfer.ts");
    await run("receive", options, (endpoint, signal) => receiveFile(endpoint, port, file, signal));
  });

  addHostArguments(
    verb(
      "serve",
      "Serves echo (RFC 862), discard (RFC 863) and character generator (RFC 864), each on the port given to it, until a signal.",
    )
      .option("--echo <port>", "sends back what comes", parsePort)
      .option("--discard <port>", "takes what comes: `measure` sends to it", parsePort)
      .option("--chargen <port>", "sends for as long as somebody takes: `measure --receive` reads from it", parsePort),
  ).action(async (options: HostArguments & Services) => {
    const ports = checkedServices(options);
    const { serve } = await import("./services.ts");
    await run("serve", options, (endpoint, signal) => serve(endpoint, ports, signal));
  });

  addHostArguments(
    peerArguments(
      verb(
        "measure",
        "Tells how much a connection to `serve --discard` carries, in all and by subflow, as NDJSON on stdout.",
      ),
    )
      .option("--receive", "from `serve --chargen` instead")
      .addOption(new Option("--duration <seconds>", "how long").argParser(parseSeconds).default(10_000_000, "10"))
      .addOption(
        new Option("--interval <seconds>", "how often to tell").argParser(parseSeconds).default(1_000_000, "1"),
      ),
  ).action(async (address: string, port: number, options: HostArguments & LocalPlace & Measuring) => {
    const { measure } = await import("./measure.ts");
    const { receive = false, duration, interval } = options;
    const given = { receives: receive, durationMicroseconds: duration, intervalMicroseconds: interval };
    const peer = { address, port, ...localPlace(options) };
    await run("measure", options, (endpoint, signal) => measure(endpoint, { ...peer, ...given }, signal));
  });

  // These two read their own command lines: main.ts has sent them elsewhere already.
  program
    .command("gateway")
    .description("Carries the TCP connections of unmodified applications (endpoint gateway --help).");
  program
    .command("lab")
    .description(
      "Serves pathlab's orchestrator: NDJSON commands on stdin, records on stdout. Also without a verb, when stdin is no terminal.",
    );
  return program;
}

function peerArguments(command: Command): Command {
  return command
    .argument("<address>", "of the peer; a name is looked up by this machine's resolver")
    .argument("<port>", "of the peer", parsePort)
    .option(
      "--local-address <address>",
      "that the first subflow leaves from (default: the first interface that leads there)",
      parseAddress,
    )
    .option("--local-port <port>", "that the first subflow leaves from (default: any)", parsePort);
}

function localPlace({ localAddress, localPort }: LocalPlace): LocalPlace {
  return { ...(localAddress !== undefined && { localAddress }), ...(localPort !== undefined && { localPort }) };
}

interface Services {
  readonly echo?: number;
  readonly discard?: number;
  readonly chargen?: number;
}

interface Measuring {
  readonly receive?: true;
  /** Microseconds, as `interval`. */
  readonly duration: number;
  readonly interval: number;
}

/** @throws UsageError */
function checkedServices({ echo, discard, chargen }: Services): Services {
  const given = Object.entries({ echo, discard, chargen }).filter(([, port]) => port !== undefined) as [
    string,
    number,
  ][];
  if (given.length === 0)
    throw new UsageError("serve: what? Give at least one of --echo, --discard and --chargen its port");
  given.forEach(([name, port], i) => {
    const other = given.slice(0, i).find(([, taken]) => taken === port);
    if (other !== undefined) throw new UsageError(`serve: --${name} and --${other[0]} are both given port ${port}`);
  });
  return Object.fromEntries(given);
}

async function run(name: string, options: HostArguments, work: Work): Promise<void> {
  const { runVerb } = await import("./run-verb.ts");
  await runVerb(name, options, work);
}
