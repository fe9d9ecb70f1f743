/** Applications in a plan: their words with everything filled in, and the gateways of hosts that our stack speaks for. */
import { fillIn } from "../model/application.ts";
import type { Placeholder, Program } from "../model/application.ts";
import { isApplication, isOfOurStack } from "../model/experiment.ts";
import type { ApplicationWorkload, EndpointKind } from "../model/experiment.ts";
import { familyOfText } from "../model/ip-address.ts";
import type { Plan, PlannedApplication, PlannedGateway, PlannedProgram, PlannedWorkload } from "./plan.ts";

const tunName = "pathlab0";
/** Of the networks for benchmarks (RFC 2544, RFC 5180): nobody else's, and never on a link. */
const applicationAddress = { ipv4: "198.18.0.1", ipv6: "2001:2::1" } as const;
const loopback = { ipv4: "127.0.0.1", ipv6: "::1" } as const;

/** @param lab its directories carry the lab's mark, by which they are taken back */
export function planApplication(
  workload: ApplicationWorkload,
  base: Omit<PlannedApplication, "kind" | "from" | "to" | "serve" | "run" | "timeoutMicroseconds">,
  lab: string,
): PlannedApplication {
  const { from, to, serve, run, timeoutMicroseconds, playback } = workload;
  const directoryOf = (side: string): string => `/tmp/pl-${lab}-${base.name}-${side}`;
  const valuesFor = (directory: string): Record<Placeholder, string> => ({
    address: base.serverAddress,
    port: String(base.port),
    directory,
  });
  const files = Object.entries(serve.files).map(([name, file]) => [
    name,
    file.kind === "text" ? { ...file, text: fillIn(file.text, valuesFor(directoryOf("server"))) } : file,
  ]);
  const planned = (program: Program, directory: string): PlannedProgram => {
    const words = program.command.map((word) => fillIn(word, valuesFor(directory))) as [string, ...string[]];
    const variables = Object.entries(program.environment).map(([name, value]) => [
      name,
      fillIn(value, valuesFor(directory)),
    ]);
    return { argv: words, environment: Object.fromEntries(variables), directory, logs: program.logs };
  };
  return {
    kind: "application",
    ...base,
    from,
    to,
    serve: { ...planned(serve, directoryOf("server")), files: Object.fromEntries(files) },
    run: { ...planned(run, directoryOf("client")), receives: run.receives },
    timeoutMicroseconds,
    ...(playback !== undefined && { playback }),
  };
}

/** Undefined where the kernel speaks, or nothing but our own programs does. All applications of a host are of one family. */
export function planGateway(
  host: string,
  endpoint: EndpointKind,
  workloads: readonly PlannedWorkload[],
): PlannedGateway | undefined {
  if (!isOfOurStack(endpoint)) return undefined;
  const applications = workloads.filter(
    (workload) => isApplication(workload) && (workload.client === host || workload.server === host),
  );
  const destinations = applications.filter(({ client }) => client === host).map(({ serverAddress }) => serverAddress);
  const ports = applications.filter(({ server }) => server === host).map(({ port }) => port);
  if (destinations.length === 0 && ports.length === 0) return undefined;
  const family = familyOfText(applications[0]!.serverAddress);
  const tun = { name: tunName, address: applicationAddress[family], destinations: [...new Set(destinations)] };
  return {
    ...(destinations.length > 0 && { tun }),
    ...(ports.length > 0 && { servers: { ports, address: loopback[family] } }),
  };
}

/** What applications run on a host. */
export function programsOn({ workloads }: Plan, host: string): PlannedProgram[] {
  return workloads
    .filter(isApplication)
    .flatMap(({ client, server, serve, run }) => [
      ...(server === host ? [serve] : []),
      ...(client === host ? [run] : []),
    ]);
}
