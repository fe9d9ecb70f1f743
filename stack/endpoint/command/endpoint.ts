/** What a verb works with: a host of our stack on the machine's interfaces, its log, and its answers to who asks for the status. */
import { setTimeout as after } from "node:timers/promises";
import { Host } from "../../host.ts";
import type { AlgorithmChoices } from "../../host-options.ts";
import type { StackEvent } from "../../events.ts";
import { Driver } from "../../io/driver.ts";
import { type Net, netOver } from "../../net/net.ts";
import { problemSentence } from "../driver-problem.ts";
import type { StatusServer } from "../status/status-server.ts";
import { type HostArguments, hostOptions } from "./host-arguments.ts";
import { Log } from "./log.ts";
import { pathInterfaces } from "./path-interfaces.ts";
import { unpredictable } from "./unpredictable.ts";

/** At the end, how long the last segments of a connection may take. */
const farewellMilliseconds = 3_000;
const lookAgainMilliseconds = 5;

export class Endpoint {
  readonly log: Log;
  readonly net: Net;
  readonly options: HostArguments;
  readonly #driver: Driver;
  #status: StatusServer | undefined;

  /** @throws UsageError, ConfigurationError, or Error with the code ENODEV, EPERM … */
  constructor(name: string, options: HostArguments, algorithms: AlgorithmChoices) {
    this.options = options;
    this.log = new Log(options.logLevel);
    const interfaces = pathInterfaces(options.interface, options.offload);
    this.#driver = new Driver({
      host: new Host(hostOptions(name, options, algorithms, interfaces, unpredictable)),
      interfaces: options.interface.map(({ name: interfaceName, optional }) => ({ interfaceName, optional })),
      followsAddresses: false,
      onProblem: (problem) => this.log.warning(problemSentence(problem), { problem }),
      onEvent: (event) => this.#tell(event),
    });
    this.net = netOver(this.#driver);
  }

  /** Serves the status, where it is asked for. Rejects with the code EADDRINUSE, EACCES … */
  async serveStatus(role: string): Promise<void> {
    const { status } = this.options;
    if (status === undefined) return;
    // Who does not ask for it does not wait for node:http.
    const { StatusServer } = await import("../status/status-server.ts");
    this.#status = new StatusServer({ role, startedAt: Date.now() / 1000, hosts: [this.#driver] });
    await this.#status.listen(status);
    const port = this.#status.port;
    this.log.info("status", status.kind === "unix" ? { path: status.path } : { host: status.host, port });
  }

  #tell(event: StackEvent): void {
    // The log has a time of its own.
    const { name, time: _, ...detail } = event;
    if (milestones.has(name)) this.log.info(name, detail);
    else this.log.debug(name, detail);
  }

  /** What every socket and server of a verb is given. */
  get socketOptions(): { allowHalfOpen: true; noDelay: boolean } {
    return { allowHalfOpen: true, noDelay: this.options.noDelay ?? false };
  }

  /** Lets go of the machine when the last segments have been exchanged: a peer must not wait for an acknowledgement from nobody. */
  async close(): Promise<void> {
    this.#status?.close();
    const until = performance.now() + farewellMilliseconds;
    while (this.#driver.host.connections.some(isUnderWay) && performance.now() < until)
      await after(lookAgainMilliseconds);
    this.#driver.abandonConnections();
    this.#driver.close();
  }
}

/** What happens once or twice in the life of a subflow; other events are many. */
const milestones: ReadonlySet<StackEvent["name"]> = new Set([
  "connection:established",
  "connection:closed",
  "mptcp:fallback",
  "mptcp:subflow-established",
  "mptcp:subflow-closed",
]);

type Connection = Host["connections"][number];

function isUnderWay(connection: Connection): boolean {
  return !connection.closed || connection.subflows.some(({ endpoint }) => !isOver(endpoint.state));
}

function isOver(state: string): boolean {
  return state === "time-wait" || state === "closed";
}
