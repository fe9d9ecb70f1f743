/** How the programs of an application and the gateways that carry it are started. */
import type { EndpointKind } from "../../model/experiment.ts";
import type { PlannedProgram } from "../../plan/plan.ts";
import { hostOptions, moduleTexts, type EndpointNode, type EndpointPrograms } from "../endpoint-launch.ts";
import type { LabCommand } from "../lab-process.ts";

/** Only the kernel's MPTCP asks for anything: its sockets are another kind, which mptcpize gives to who asked for TCP's. */
export function programCommand(name: string, kind: EndpointKind, program: PlannedProgram): LabCommand {
  const { argv, environment, directory } = program;
  return { name, argv: kind === "linux-mptcp" ? ["mptcpize", "run", ...argv] : argv, environment, directory };
}

export interface GatewayCommand extends LabCommand {
  /** What it reads on its standard input: modules of algorithms, for which a command line has no room. */
  readonly input: string;
}

/** Undefined where the plan has none on the node. */
export function gatewayCommand(
  node: EndpointNode,
  programs: EndpointPrograms,
  metricsIntervalMicroseconds: number,
): GatewayCommand | undefined {
  const { gateway } = node;
  const { modules } = node.endpoint;
  if (gateway === undefined) return undefined;
  const { tun, servers } = gateway;
  const ways = [
    ...(tun === undefined ? [] : ["--direct", "--tun", tun.name]),
    ...(servers?.ports ?? []).flatMap((port) => ["--forward", String(port)]),
    ...(servers === undefined ? [] : ["--to", servers.address]),
  ];
  const observed = ["--observe", String(metricsIntervalMicroseconds / 1000)];
  const host = ["--host", JSON.stringify(hostOptions(node))];
  const algorithms = modules === undefined ? [] : ["--algorithms-on-stdin"];
  return {
    name: "gateway",
    argv: [programs.node, programs.endpoint, "gateway", ...ways, ...observed, ...host, ...algorithms],
    input: modules === undefined ? "" : JSON.stringify(moduleTexts(modules)),
  };
}
