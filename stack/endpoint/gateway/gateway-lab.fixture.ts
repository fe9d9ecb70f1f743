/** The two machines of docs/gateway.md, and its gateways on them. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { type Machine, TwoMachines } from "../two-machines.fixture.ts";
import type { GatewayRecord } from "./gateway.ts";

export class GatewayLab extends TwoMachines {
  readonly records: Record<Machine, GatewayRecord[]> = { client: [], server: [] };

  constructor() {
    super("docs/gateway.md", "plg");
  }

  /** Starts the gateway of the page's block, and waits until it is ready. */
  gateway(machine: Machine, block: string): Promise<ChildProcess> {
    return this.#ready(machine, this.start(machine, block));
  }

  /** Starts a gateway with these options; `nodeOptions`: for Node itself. */
  gatewayWith(machine: Machine, options: string, nodeOptions = ""): Promise<ChildProcess> {
    return this.#ready(
      machine,
      this.spawn(machine, `exec node ${nodeOptions} stack/endpoint/main.ts gateway ${options}`),
    );
  }

  /** Runs a shell's command to its end. Rejects with what it complained of when it fails. */
  async output(machine: Machine, command: string): Promise<string> {
    const child = this.spawn(machine, command);
    const [output, complaints, [code]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, "close"),
    ]);
    if (code !== 0) throw new Error(`${command}: ${code}: ${complaints}`);
    return output;
  }

  /** Resolves when the machine's gateway has told of it. */
  async recorded(machine: Machine, what: (record: GatewayRecord) => boolean): Promise<void> {
    while (!this.records[machine].some(what)) await turn();
  }

  /** Resolves when a program of the machine's kernel listens on the port. */
  async listening(machine: Machine, port: number): Promise<void> {
    while ((await this.output(machine, `ss -Hltn 'sport = :${port}'`)) === "");
  }

  async #ready(machine: Machine, child: ChildProcess): Promise<ChildProcess> {
    child.stderr!.pipe(process.stderr);
    const records = this.records[machine];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      records.push(...lines.map((line) => JSON.parse(line) as GatewayRecord));
      if (records.some(({ type }) => type === "ready")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
    await promise;
    return child;
  }
}

export type { Application, Machine } from "../two-machines.fixture.ts";
