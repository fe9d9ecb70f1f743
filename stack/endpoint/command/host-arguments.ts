/** The options that all verbs share: on which interfaces our stack speaks, how, and what is told of it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { congestionControls, pathManagers, schedulers } from "../../host-algorithms.ts";
import type { AlgorithmChoices, HostOptions, InterfaceOptions } from "../../host-options.ts";
import type { TcpOptions } from "../../tcp/tcp-options.ts";
import { isModulePath } from "../module-path.ts";
import type { StatusAddress } from "../status/status-address.ts";
import { type LogLevel, logLevels } from "./log.ts";
import { collectInterface, parseSeconds, parseSize, parseStatus, type PathInterface, wholeNumber } from "./values.ts";

export interface HostArguments {
  readonly interface: readonly PathInterface[];
  readonly mptcp: boolean;
  /** Names, or paths of modules of one's own. */
  readonly congestionControl: string;
  readonly scheduler: string;
  readonly pathManager: string;
  readonly subflows?: number;
  readonly checksums?: true;
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  readonly autotune: boolean;
  readonly closeTimeout?: number;
  readonly fastOpen?: true;
  readonly noDelay?: true;
  readonly keepAlive?: number;
  readonly userTimeout?: number;
  readonly ecn?: true;
  readonly pacing: boolean;
  readonly offload: boolean;
  readonly status?: StatusAddress;
  readonly logLevel: LogLevel;
}

const probes = { intervalMicroseconds: 1_000_000, probes: 10 };

export function addHostArguments(command: Command): Command {
  return command
    .optionsGroup("Paths:")
    .addOption(
      new Option(
        "-i, --interface <name=address/length>",
        "speak on this interface, with an address that the kernel does not have and nobody else either; repeat it for each path. " +
          "Further addresses follow after commas, as do via=ROUTER and backup (carries data only when no other can)",
      )
        .argParser(collectInterface)
        .makeOptionMandatory(),
    )
    .option("--no-offload", "the device neither cuts segments nor completes checksums (for devices that cannot)")
    .optionsGroup("Multipath TCP (RFC 8684):")
    .option("--no-mptcp", "plain TCP, over the first interface that leads there")
    .addOption(named("--scheduler <name>", "which subflow carries the next bytes", schedulers, "min-rtt"))
    .addOption(named("--path-manager <name>", "which subflows there are", pathManagers, "full-mesh"))
    .option(
      "--subflows <number>",
      "at most so many for a connection; for one, see --path-manager (default: 8)",
      wholeNumber("subflows", 2, 256),
    )
    .option("--checksums", "ask for DSS checksums, which find payload that middleboxes change")
    .option("--close-timeout <seconds>", "how long a connection outlives its last subflow (default: 60)", parseSeconds)
    .optionsGroup("TCP:")
    .addOption(named("--congestion-control <name>", "coupled over the subflows, or of each", congestionControls, "lia"))
    .option("--send-buffer <size>", "of each connection (default: 6MiB)", parseSize)
    .option("--receive-buffer <size>", "of each connection, at most (default: 6MiB)", parseSize)
    .option("--no-autotune", "the receive window is the whole buffer from the beginning")
    .option("--fast-open", "data go with the SYN once the peer's cookie is known: they may arrive twice (RFC 7413)")
    .option("--no-delay", "small writes do not wait for each other (TCP_NODELAY)")
    .option("--keep-alive <seconds>", "probe a silent peer after this time", parseSeconds)
    .option(
      "--user-timeout <seconds>",
      "give a subflow up that acknowledges nothing for so long (default: 120)",
      parseSeconds,
    )
    .option("--ecn", "explicit congestion notification (RFC 3168)")
    .option("--no-pacing", "send bursts instead of spreading them over the round trip")
    .optionsGroup("Observation:")
    .option(
      "--status <port or path>",
      "serve GET /metrics (Prometheus) and GET /state (JSON) there, on 127.0.0.1 or a socket file",
      parseStatus,
    )
    .addOption(
      new Option("--log-level <level>", "of the NDJSON on stderr; debug has each decision of the stack")
        .choices(logLevels)
        .default("info"),
    );
}

/** The host as the command line has it; `interfaces` are what `pathInterfaces` made of its own. */
export function hostOptions(
  name: string,
  given: HostArguments,
  algorithms: AlgorithmChoices,
  interfaces: readonly InterfaceOptions[],
  random: () => number,
): HostOptions {
  const { subflows, checksums, sendBuffer, receiveBuffer, closeTimeout } = given;
  return {
    name,
    random,
    interfaces,
    mptcp: given.mptcp,
    ...algorithms,
    autotune: given.autotune,
    ...(subflows !== undefined && { maximumSubflows: subflows - 1 }),
    ...(checksums !== undefined && { dssChecksum: true }),
    ...(sendBuffer !== undefined && { sendBufferBytes: sendBuffer }),
    ...(receiveBuffer !== undefined && { receiveBufferBytes: receiveBuffer }),
    ...(closeTimeout !== undefined && { closeTimeoutMicroseconds: closeTimeout }),
    tcp: tcpOptions(given),
  };
}

function tcpOptions({ keepAlive, userTimeout, ecn, pacing }: HostArguments): TcpOptions {
  return {
    pacing,
    ...(keepAlive !== undefined && { keepAlive: { idleMicroseconds: keepAlive, ...probes } }),
    ...(userTimeout !== undefined && { userTimeoutMicroseconds: userTimeout }),
    ...(ecn !== undefined && { explicitCongestionNotification: true }),
  };
}

function named(flags: string, description: string, names: object, preset: string): Option {
  const known = Object.keys(names);
  return new Option(flags, `${description}: ${known.join(", ")}, or ./FILE of one's own`)
    .argParser((text) => {
      if (known.includes(text) || isModulePath(text)) return text;
      throw new InvalidArgumentError(`Expected ${known.join(", ")}, or the path of a module (./mine.ts).`);
    })
    .default(preset);
}
