/** How the endpoint program of a host is started: which command line, and which first command. */
import type {
  AlgorithmTexts,
  StartCommand,
  WorkloadDescription,
  WrittenHostOptions,
} from "../../stack/endpoint/protocol.ts";
import type {
  CongestionControlName,
  HostOptions,
  InterfaceOptions,
  NamedAlgorithms,
  PathManagerName,
  SchedulerName,
} from "../../stack/host-options.ts";
import type { EndpointOptions } from "../model/endpoint-options.ts";
import { isOfOurStack } from "../model/experiment.ts";
import { familyOfText } from "../model/ip-address.ts";
import { addressesOf } from "../plan/plan.ts";
import type { PlannedEndpoint, PlannedInterface, PlannedNode, PlannedWorkload } from "../plan/plan.ts";
import type { LabCommand } from "./lab-process.ts";

/** Paths as they are inside a node. */
export interface EndpointPrograms {
  /** The Node.js that runs it. */
  readonly node: string;
  /** The endpoint program, one bundled file. */
  readonly endpoint: string;
  /** Folder of the machine where videos that experiments play are kept. */
  readonly videoCache: string;
}

/** A planned host with the endpoint that it must have. */
export interface EndpointNode extends PlannedNode {
  readonly endpoint: PlannedEndpoint;
}

export function endpointNodes(nodes: readonly PlannedNode[]): EndpointNode[] {
  return nodes.filter((node): node is EndpointNode => node.endpoint !== undefined);
}

export function endpointCommand(node: EndpointNode, programs: EndpointPrograms): LabCommand {
  const argv = [programs.node, programs.endpoint] as const;
  return { name: "endpoint", argv: node.endpoint.kind === "linux-mptcp" ? ["mptcpize", "run", ...argv] : argv };
}

export function startCommand(node: EndpointNode, seed: number, metricsIntervalMicroseconds: number): StartCommand {
  return {
    do: "start",
    host: node.name,
    transport: isOfOurStack(node.endpoint.kind)
      ? {
          kind: "stack",
          options: hostOptions(node),
          seed: hostSeed(seed, node.name),
          ...(node.endpoint.modules && { modules: moduleTexts(node.endpoint.modules) }),
        }
      : { kind: "kernel" },
    metricsIntervalMicroseconds,
  };
}

export function moduleTexts(modules: NonNullable<PlannedEndpoint["modules"]>): AlgorithmTexts {
  return Object.fromEntries(Object.entries(modules).map(([key, { javascript }]) => [key, javascript]));
}

/** Our stack's host as the plan has it. The names of algorithms are checked by the host itself, which refuses those that it does not know. */
export function hostOptions(node: EndpointNode): WrittenHostOptions {
  const { endpoint } = node;
  const mptcp = endpoint.kind === "pathlab";
  return {
    name: node.name,
    interfaces: node.interfaces.map((planned) => interfaceOptions(node, planned)),
    mptcp,
    congestionControl: endpoint.congestionControl as CongestionControlName,
    // A host without MPTCP never asks them.
    scheduler: mptcp ? (endpoint.scheduler as SchedulerName) : "min-rtt",
    pathManager: mptcp ? (endpoint.pathManager as PathManagerName) : "full-mesh",
    ...(endpoint.subflows !== undefined && { maximumSubflows: endpoint.subflows - 1 }),
    sendBufferBytes: endpoint.sendBufferBytes,
    receiveBufferBytes: endpoint.receiveBufferBytes,
    ...chosenOptions(endpoint.options ?? {}),
  };
}

function chosenOptions({
  pacing,
  synCookies,
  ...options
}: EndpointOptions): Partial<Omit<HostOptions, keyof NamedAlgorithms>> {
  const tcp = { ...(pacing !== undefined && { pacing }), ...(synCookies !== undefined && { synCookies }) };
  return { ...options, ...(Object.keys(tcp).length > 0 && { tcp }) };
}

function interfaceOptions(node: EndpointNode, planned: PlannedInterface): InterfaceOptions {
  const addresses = addressesOf(planned);
  const gateways = addresses.flatMap((own) => own.gateway ?? gatewayFor(node, planned.name, own.address) ?? []);
  const gateway = gateways.find((address) => familyOfText(address) === "ipv4");
  const ipv6Gateway = gateways.find((address) => familyOfText(address) === "ipv6");
  return {
    name: planned.name,
    mac: planned.mac,
    mtu: planned.mtu,
    gso: planned.offload,
    addresses: addresses.map(({ address, prefixLength }) => ({ address, prefixLength })),
    ...(gateway !== undefined && { gateway }),
    ...(ipv6Gateway !== undefined && { ipv6Gateway }),
    backup: node.endpoint.backupInterfaces.includes(planned.name),
  };
}

/** The next hop of the default route: of the address's own table where there is one, else of the main table. */
function gatewayFor(node: PlannedNode, name: string, address: string): string | undefined {
  const own = node.sourceRoutes.find(({ from }) => from === address)?.routes ?? [];
  return [...own, ...node.routes].find(
    ({ destination, interface: out, via }) =>
      destination === "default" && out === name && via !== undefined && familyOfText(via) === familyOfText(address),
  )?.via;
}

/** FNV-1a over the name, so that a host's random numbers do not depend on which other hosts there are. */
function hostSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The plan's workload in the endpoint's words. */
export function workloadDescription(planned: PlannedWorkload): WorkloadDescription {
  const { name, serverAddress, port, payloadSeed } = planned;
  const noDelay = planned.noDelay ?? planned.kind === "request-response";
  const base = { name, serverAddress, port, payloadSeed, noDelay };
  switch (planned.kind) {
    case "bulk": {
      const { kind, sizeBytes, durationMicroseconds } = planned;
      const amount = {
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(durationMicroseconds !== undefined && { durationMicroseconds }),
      };
      return { ...base, kind, sender: senderOf(planned), ...amount };
    }
    case "stream": {
      const { kind, rateBitsPerSecond, segmentMicroseconds, playbackBufferMicroseconds, durationMicroseconds } =
        planned;
      const media = { rateBitsPerSecond, segmentMicroseconds, playbackBufferMicroseconds, durationMicroseconds };
      return { ...base, kind, sender: senderOf(planned), ...media };
    }
    case "request-response": {
      const { kind, requestBytes, responseBytes, intervalMicroseconds, count } = planned;
      return { ...base, kind, requestBytes, responseBytes, intervalMicroseconds, count };
    }
    case "application":
      throw new RangeError(`${name} is an application, of which no endpoint program knows`);
  }
}

function senderOf(planned: { readonly from: string; readonly client: string }): "client" | "server" {
  return planned.from === planned.client ? "client" : "server";
}
