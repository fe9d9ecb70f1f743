import { Host } from "../../host.ts";
import type { AlgorithmChoices } from "../../host-options.ts";
import { Driver } from "../../io/driver.ts";
import { problemSentence } from "../driver-problem.ts";
import type { StartCommand } from "../protocol.ts";
import type { TransportObserver } from "../transport.ts";
import { seededRandom } from "./seeded-random.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Our MPTCP stack on packet sockets of the interfaces that the options name. */
export class StackTransport extends SocketTransport {
  readonly #driver: Driver;

  /** @throws ConfigurationError, or Error with the code ENODEV, ENOENT or EPERM when an interface cannot be opened. */
  constructor(
    transport: Extract<StartCommand["transport"], { kind: "stack" }>,
    observer: TransportObserver,
    algorithms: Partial<AlgorithmChoices> = {},
  ) {
    const { options, seed } = transport;
    const driver = new Driver({
      host: new Host({ ...options, ...algorithms, random: seededRandom(seed) }),
      interfaces: options.interfaces.map(({ name }) => ({ interfaceName: name })),
      onEvent: (event) => observer.onEvent(event),
      onProblem: (problem) => observer.onProblem(problemSentence(problem)),
    });
    super(driver);
    this.#driver = driver;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#driver.close();
  }
}
