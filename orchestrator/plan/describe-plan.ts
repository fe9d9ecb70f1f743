/** A plan in words: what will be created on the machine, what will run, and why. Stable, so that two plans can be compared by a diff. */
import { formatEndpoint } from "../../stack/wire/ip-address.ts";
import type { EndpointOptions } from "../model/endpoint-options.ts";
import type { Expectation } from "../model/experiment.ts";
import { formatDuration, formatProbability, formatRate, formatSize } from "../model/units.ts";
import type { ServedFile } from "../model/application.ts";
import { addressesOf } from "./plan.ts";
import type { Plan, PlannedApplication, PlannedNode, PlannedRoute, PlannedWorkload } from "./plan.ts";

export function describePlan(plan: Plan): string {
  const sections = [
    `${plan.experiment} on ${plan.substrate}: lab ${plan.lab}, seed ${plan.seed}`,
    section("Nodes", table(plan.nodes.map((node) => [node.name, node.kind, node.systemName, node.reason]))),
    section("Interfaces", table(plan.nodes.flatMap(describeInterfaces))),
    section(
      "Links",
      table(
        plan.links.map(({ name, ends: [a, b], realisation, measured, reason }) => [
          name,
          `${a.node}:${a.interface} — ${b.node}:${b.interface}`,
          realisation,
          measured ? "measured first" : "",
          reason,
        ]),
      ),
    ),
    section("Routes", table(plan.nodes.flatMap(describeRoutes))),
    section("Endpoints", table(plan.nodes.flatMap(describeEndpoint))),
    section("Gateways", table(plan.nodes.flatMap(describeGateway))),
    section("Kernel settings", table(describeSysctls(plan.nodes))),
    section(
      "Workloads",
      table(
        plan.workloads.map((workload) => [
          workload.name,
          at(workload.startMicroseconds),
          ...describeWorkload(workload),
        ]),
      ),
    ),
    section(
      "Faults",
      table(plan.faults.map((fault) => [fault.link, at(fault.atMicroseconds), fault.action, fault.reason])),
    ),
    section(
      "Expectations",
      table(plan.expectations.map(({ workload, expectation }) => [workload, describeExpectation(expectation)])),
    ),
    section(
      "Observation",
      table([
        [
          "capture",
          plan.capture.enabled ? `all host interfaces, ${plan.capture.snapLength} bytes of each packet` : "none",
        ],
        ["time series", `every ${formatDuration(plan.metricsIntervalMicroseconds)}`],
        ["deadline", at(plan.deadlineMicroseconds)],
      ]),
    ),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

const at = (microseconds: number): string => `at ${formatDuration(microseconds)}`;

function section(title: string, rows: readonly string[]): string {
  return rows.length === 0 ? "" : `${title}\n${rows.map((row) => `  ${row}`).join("\n")}`;
}

/** Columns as wide as their widest cell; the last one is free. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}

function describeInterfaces({ name, kind, interfaces }: PlannedNode): string[][] {
  return interfaces.map((own) => [
    `${name}:${own.name}`,
    `on ${own.link}`,
    addressesOf(own)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`)
      .join(" "),
    own.mac,
    `mtu ${own.mtu}`,
    `offload ${own.offload ? "on" : "off"}`,
    kind === "host" ? (own.kernelAddress ? "address in the kernel" : "address in our stack") : "",
  ]);
}

function describeRoutes({ name, routes, sourceRoutes }: PlannedNode): string[][] {
  return [
    ...routes.map((route) => [name, "", ...describeRoute(route)]),
    ...sourceRoutes.flatMap(({ from, table: number, routes: own }) =>
      own.map((route) => [name, `from ${from} (table ${number})`, ...describeRoute(route)]),
    ),
  ];
}

const describeRoute = ({ destination, metric, equalCost = [], ...first }: PlannedRoute): string[] => [
  destination,
  [first, ...equalCost]
    .map(({ via, interface: name }) => (via === undefined ? `dev ${name}` : `via ${via} dev ${name}`))
    .join(" or ") + (metric === undefined ? "" : ` metric ${metric}`),
];

/** A line for each value, with the nodes that have it. */
function describeSysctls(nodes: readonly PlannedNode[]): string[][] {
  const owners = new Map<string, string[]>();
  for (const { name, sysctls } of nodes) {
    for (const [key, value] of Object.entries(sysctls))
      owners.set(`${key} = ${value}`, [...(owners.get(`${key} = ${value}`) ?? []), name]);
  }
  return [...owners].map(([setting, names]) => [
    setting,
    names.length === nodes.length ? "all nodes" : names.join(", "),
  ]);
}

function describeEndpoint({ name, endpoint }: PlannedNode): string[][] {
  if (!endpoint) return [];
  const { kind, congestionControl, scheduler, pathManager, subflows, backupInterfaces, options, kernelMptcp, modules } =
    endpoint;
  const rows = [
    [
      name,
      kind,
      `congestion control ${congestionControl}, scheduler ${scheduler}, path manager ${pathManager}${subflows === undefined ? "" : ` with at most ${subflows} subflows`}, buffers ${formatSize(endpoint.sendBufferBytes)} to send and ${formatSize(endpoint.receiveBufferBytes)} to receive`,
    ],
  ];
  for (const { path, sha256 } of new Set(Object.values(modules ?? {})))
    rows.push([name, "module", `${path}, SHA-256 ${sha256}`]);
  if (backupInterfaces.length > 0) rows.push([name, "backup", backupInterfaces.join(", ")]);
  if (options) rows.push([name, "options", describeOptions(options)]);
  if (kernelMptcp)
    rows.push([
      name,
      "ip mptcp",
      `limits: subflows ${kernelMptcp.limits.subflows}, accepted addresses ${kernelMptcp.limits.addAddrAccepted}`,
    ]);
  for (const { address, interface: dev, flags } of kernelMptcp?.endpoints ?? [])
    rows.push([name, "ip mptcp", `endpoint ${address} dev ${dev} ${flags.join(" ")}`]);
  return rows;
}

function describeGateway({ name, gateway }: PlannedNode): string[][] {
  if (gateway === undefined) return [];
  const { tun, servers } = gateway;
  const rows: string[][] = [];
  if (tun !== undefined)
    rows.push([
      name,
      `carries connections to ${tun.destinations.join(", ")} out of device ${tun.name} (${tun.address})`,
    ]);
  for (const port of servers?.ports ?? [])
    rows.push([name, `takes connections on port ${port} and hands them to ${formatEndpoint(servers!.address, port)}`]);
  return rows;
}

function describeOptions({ closeTimeoutMicroseconds, notSentLowatBytes, ...options }: EndpointOptions): string {
  const words = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  if (closeTimeoutMicroseconds !== undefined) words.push(`closeTimeout ${formatDuration(closeTimeoutMicroseconds)}`);
  if (notSentLowatBytes !== undefined) words.push(`notSentLowat ${formatSize(notSentLowatBytes)}`);
  return words.join(", ");
}

const time = (name: string, limit?: { readonly atMostMicroseconds: number }): string[] =>
  limit ? [`${name} at most ${formatDuration(limit.atMostMicroseconds)}`] : [];

const times = (
  name: string,
  limits?: { readonly atLeastMicroseconds?: number; readonly atMostMicroseconds?: number },
): string[] => [
  ...(limits?.atLeastMicroseconds !== undefined
    ? [`${name} at least ${formatDuration(limits.atLeastMicroseconds)}`]
    : []),
  ...(limits?.atMostMicroseconds !== undefined ? [`${name} at most ${formatDuration(limits.atMostMicroseconds)}`] : []),
];

const rates = (
  name: string,
  limits?: { readonly atLeastBitsPerSecond?: number; readonly atMostBitsPerSecond?: number },
): string[] => [
  ...(limits?.atLeastBitsPerSecond !== undefined
    ? [`${name} at least ${formatRate(limits.atLeastBitsPerSecond)}`]
    : []),
  ...(limits?.atMostBitsPerSecond !== undefined ? [`${name} at most ${formatRate(limits.atMostBitsPerSecond)}`] : []),
];

function describeExpectation({
  meanGoodput,
  leastGoodput,
  fairness,
  flowCompletion,
  goodput,
  subflows,
  share = {},
  longestGap,
  stalls,
  intact,
  exitCode,
  bytes,
  frames,
  fallback,
  completion,
  latency,
}: Expectation): string {
  return [
    ...rates("goodput", goodput),
    ...rates("mean goodput", meanGoodput),
    ...rates("least goodput", leastGoodput),
    ...(fairness?.atLeast !== undefined ? [`fairness at least ${formatProbability(fairness.atLeast)}`] : []),
    ...(fairness?.atMost !== undefined ? [`fairness at most ${formatProbability(fairness.atMost)}`] : []),
    ...time("median completion of a flow", flowCompletion?.p50),
    ...time("99th percentile of flows' completion", flowCompletion?.p99),
    ...(subflows?.exactly !== undefined ? [`${subflows.exactly} subflows`] : []),
    ...(subflows?.atLeast !== undefined ? [`at least ${subflows.atLeast} subflows`] : []),
    ...(subflows?.atMost !== undefined ? [`at most ${subflows.atMost} subflows`] : []),
    ...Object.entries(share).flatMap(([path, { atLeast, atMost }]) => [
      ...(atLeast !== undefined ? [`at least ${formatProbability(atLeast)} over ${path}`] : []),
      ...(atMost !== undefined ? [`at most ${formatProbability(atMost)} over ${path}`] : []),
    ]),
    ...times("longest gap", longestGap),
    ...(stalls ? [stalls.atMost === 0 ? "no stall" : `at most ${stalls.atMost} stalls`] : []),
    ...(intact ? ["bytes intact"] : []),
    ...(exitCode !== undefined ? [`exit code ${exitCode}`] : []),
    ...(bytes?.atLeast !== undefined ? [`at least ${formatSize(bytes.atLeast)}`] : []),
    ...(bytes?.atMost !== undefined ? [`at most ${formatSize(bytes.atMost)}`] : []),
    ...(frames ? [`at least ${frames.atLeast} frames`] : []),
    ...(fallback !== undefined ? [fallback ? "fallback to TCP" : "no fallback"] : []),
    ...time("completion", completion),
    ...time("median latency", latency?.p50),
    ...time("99th percentile of latency", latency?.p99),
    ...times("deviation of latency", latency?.deviation),
  ].join(", ");
}

function describeWorkload(workload: PlannedWorkload): string[] {
  const { kind, client, server, serverAddress, port } = workload;
  const opened = `${client} opens the connection to ${formatEndpoint(serverAddress, port)}`;
  if (kind === "request-response") {
    const { count, intervalMicroseconds, requestBytes, responseBytes } = workload;
    const rhythm = `${count} times, every ${formatDuration(intervalMicroseconds)}`;
    const sizes = `${formatSize(requestBytes)} for ${formatSize(responseBytes)}`;
    return [kind, `${client} asks ${server} ${rhythm}: ${sizes}; ${opened}`];
  }
  if (kind === "application") return [kind, describeApplication(workload)];
  const { from, to, durationMicroseconds } = workload;
  if (kind === "bulk") {
    const { sizeBytes } = workload;
    const amount =
      sizeBytes === undefined ? `all that fits in ${formatDuration(durationMicroseconds!)}` : formatSize(sizeBytes);
    return [kind, `${from} sends ${amount} to ${to}; ${opened}`];
  }
  const { rateBitsPerSecond, segmentMicroseconds, playbackBufferMicroseconds } = workload;
  const segments = `${formatRate(rateBitsPerSecond)} in segments of ${formatDuration(segmentMicroseconds)}`;
  const played = `for ${formatDuration(durationMicroseconds!)}, played from a buffer of ${formatDuration(playbackBufferMicroseconds)}`;
  return [kind, `${from} sends ${segments} to ${to} ${played}; ${opened}`];
}

function describeApplication({
  client,
  server,
  serve,
  run,
  timeoutMicroseconds,
  playback,
}: PlannedApplication): string {
  const files = Object.entries(serve.files).map(([name, file]) => `${name} (${describeFile(file)})`);
  return [
    `${server} runs ${serve.argv.join(" ")}${files.length > 0 ? ` beside ${files.join(", ")}` : ""}`,
    `${client} runs ${run.argv.join(" ")} for at most ${formatDuration(timeoutMicroseconds)}`,
    ...(playback
      ? [`${playback.video} is played from a buffer of ${formatDuration(playback.bufferMicroseconds)}`]
      : []),
  ].join("; ");
}

function describeFile(file: ServedFile): string {
  switch (file.kind) {
    case "text":
      return `${Buffer.byteLength(file.text)} bytes of text`;
    case "random":
      return `${formatSize(file.sizeBytes)} by the seed`;
    case "hls":
      return `${formatDuration(file.durationMicroseconds)} of video, ${formatRate(file.rateBitsPerSecond)}, in segments of ${formatDuration(file.segmentMicroseconds)}`;
  }
}
