/** The two machines of docs/gateway.md with a client's gateway and a converter between them, and the kernel's own Multipath TCP over the same paths, so that one iperf3 has the choice. */

import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { GatewayLab } from "../../endpoint/gateway/gateway-lab.fixture.ts";
import type { Machine } from "../../endpoint/two-machines.fixture.ts";

/** USER_HZ, in which /proc counts. */
const ticksPerSecond = 100;
const machines = ["client", "server"] as const;

/** By what an iperf3 reaches the other machine. */
export type Way = "direct" | "kernel MPTCP" | "gateway";
export const ways: readonly Way[] = ["direct", "kernel MPTCP", "gateway"];

/** Where the client's iperf3 connects to: the gateway has the prefix of the service, the kernel its own addresses on the paths. */
const addresses: Readonly<Record<Way, string>> = {
  direct: "10.77.1.2",
  "kernel MPTCP": "10.77.1.2",
  gateway: "192.0.2.80",
};

/** One transfer through one way. */
export type Transfer = {
  gigabitsPerSecond: number;
  /** Processor time of the two gateways for 10⁹ bytes; NaN where there are none. */
  clientGatewaySecondsPerGigabyte: number;
  converterSecondsPerGigabyte: number;
  /** Of the two iperf3, by their own word. */
  programSecondsPerGigabyte: number;
};

type Report = {
  end: {
    sum_received: { bytes: number; bits_per_second: number };
    sum_sent: { seconds: number };
    cpu_utilization_percent: { host_total: number; remote_total: number };
  };
};

export class GatewayBenchmark {
  readonly #lab = new GatewayLab();
  #gateways: Record<Machine, ChildProcess> | undefined;

  /** Root. `nodeOptions`: what the gateways' Node gets before the program, a profiler. */
  async open(nodeOptions: string): Promise<void> {
    const lab = this.#lab;
    lab.up();
    lab.run("server", "service");
    lab.run("client", "tun");
    for (const machine of machines) await lab.output(machine, kernelMptcp[machine]);
    const gateway = (machine: Machine, options: string): Promise<ChildProcess> =>
      lab.gatewayWith(machine, options, nodeOptions);
    const server = await gateway(
      "server",
      "--converter 4460 --interface eth0=10.77.1.12/24 --interface eth1=10.77.2.12/24",
    );
    const paths = "--interface wlan0=10.77.1.11/24 --interface wwan0=10.77.2.11/24";
    const client = await gateway("client", `--peer 10.77.1.12:4460 --peer 10.77.2.12:4460 --tun pathlab0 ${paths}`);
    this.#gateways = { client, server };
  }

  close(): Promise<void> {
    return this.#lab.down();
  }

  /** iperf3 for so many seconds, down (the server sends) or up. */
  async transfer(way: Way, direction: "up" | "down", seconds: number): Promise<Transfer> {
    const lab = this.#lab;
    const under = way === "kernel MPTCP" ? "mptcpize run " : "";
    const server = lab.output("server", `${under}iperf3 -s -1 -J`);
    await Promise.race([lab.listening("server", 5201), server]);
    const before = this.#processorSeconds();
    const reverse = direction === "down" ? "-R" : "";
    const report = await lab.output("client", `${under}iperf3 -J -c ${addresses[way]} -t ${seconds} ${reverse}`);
    const after = this.#processorSeconds();
    await server;
    const { sum_received, sum_sent, cpu_utilization_percent } = (JSON.parse(report) as Report).end;
    const gigabytes = sum_received.bytes / 1e9;
    const perGigabyte = (machine: Machine): number =>
      way === "gateway" ? (after[machine] - before[machine]) / gigabytes : Number.NaN;
    const { host_total, remote_total } = cpu_utilization_percent;
    return {
      gigabitsPerSecond: sum_received.bits_per_second / 1e9,
      clientGatewaySecondsPerGigabyte: perGigabyte("client"),
      converterSecondsPerGigabyte: perGigabyte("server"),
      programSecondsPerGigabyte: (((host_total + remote_total) / 100) * sum_sent.seconds) / gigabytes,
    };
  }

  #processorSeconds(): Record<Machine, number> {
    const gateways = this.#gateways!;
    return { client: processorSecondsOf(gateways.client), server: processorSecondsOf(gateways.server) };
  }
}

/** Its second path: the server tells it, the client may join there. */
const kernelMptcp: Readonly<Record<Machine, string>> = {
  client: "ip mptcp limits set subflow 1 add_addr_accepted 1",
  server: "ip mptcp limits set subflow 1 add_addr_accepted 1; ip mptcp endpoint add 10.77.2.2 dev eth1 signal",
};

/** utime and stime (proc_pid_stat(5)), which come after the name of the program in parentheses. */
function processorSecondsOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
