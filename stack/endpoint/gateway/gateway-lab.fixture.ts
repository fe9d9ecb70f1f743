/** The two machines of docs/gateway.md, and its gateways on them. */
import type { ChildProcess } from "node:child_process";
import { type Machine, TwoMachines } from "../two-machines.fixture.ts";
import type { GatewayRecord } from "./gateway.ts";

export class GatewayLab extends TwoMachines {
  readonly records: Record<Machine, GatewayRecord[]> = { client: [], server: [] };

  constructor() {
    super("docs/gateway.md", "plg");
  }

  /** Starts the gateway of the page's block, and waits until it is ready. */
  async gateway(machine: Machine, block: string): Promise<ChildProcess> {
    const child = this.start(machine, block);
    child.stderr!.pipe(process.stderr);
    const records = this.records[machine];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
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
