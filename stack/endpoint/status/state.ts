/** `GET /state`: the endpoint as JSON, with the fields of Linux's MPTCP_INFO and TCP_INFO under their names (docs/net.md). */
import { linuxInfo, type SocketInfo } from "../../net/linux-info.ts";
import type { HostHoldings } from "../../host.ts";
import type { DriverCounters } from "../../io/driver.ts";
import { type GatewayCounters, type StatusSource, toldConnections } from "./status-source.ts";

export interface EndpointState {
  readonly role: string;
  readonly pid: number;
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly hosts: readonly {
    readonly name: string;
    readonly holdings: HostHoldings;
    readonly interfaces: readonly DriverCounters[];
    readonly connections: readonly (SocketInfo & { readonly state: "connecting" | "established" | "closed" })[];
    /** Those beyond the limit of an answer. */
    readonly connectionsNotTold: number;
  }[];
  readonly gateway?: GatewayCounters;
}

export function endpointState({ role, startedAt, hosts, gateway }: StatusSource, now: number): EndpointState {
  return {
    role,
    pid: process.pid,
    node: process.version,
    uptimeSeconds: now - startedAt,
    hosts: hosts.map((observed) => {
      const { host } = observed;
      const { connections } = host;
      return {
        name: host.name,
        holdings: host.holdings,
        interfaces: observed.counters(),
        connections: connections.slice(0, toldConnections).map((connection) => ({
          state: connection.closed ? "closed" : connection.established ? "established" : "connecting",
          ...linuxInfo(connection, observed.now()),
        })),
        connectionsNotTold: Math.max(0, connections.length - toldConnections),
      };
    }),
    ...(gateway !== undefined && { gateway: gateway() }),
  };
}

/** Numbers of 64 bits become strings, for most readers of JSON would round them; what is infinite becomes null. */
export function stateText(state: EndpointState): string {
  return `${JSON.stringify(state, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value))}\n`;
}
