/** A plan by hand for tests of substrates: a phone with two interfaces, an access router each, the internet, a server (the shape of `topologies/wifi-3g.yaml`). */
import type { Plan, PlannedInterface, PlannedLink, PlannedNode, PlannedRoute } from "../plan/plan.ts";
import type { SubstrateName } from "../model/experiment.ts";
import { familiesOf, type Addressing } from "../model/ip-address.ts";

export interface TwoPathsOptions {
  readonly lab: string;
  readonly substrate: SubstrateName;
  /** How the two access links are made; the others are direct. */
  readonly access?: PlannedLink["realisation"];
  /** Whether the phone's addresses are the kernel's. */
  readonly kernelAddresses?: boolean;
  readonly accessDelayMicroseconds?: number;
  /** Default: ipv4. */
  readonly addressing?: Addressing;
}

export const phoneAddresses = { wifi: "10.1.0.2", cellular: "10.2.0.2" } as const;
export const serverAddress = "10.9.0.2";

/** 10.A.0.N ⇒ 2001:db8:A::N, and the like of subnets. */
export function overIpv6(address: string): string {
  const [, network, host, length] = /^10\.(\d+)\.0\.(\d+)(\/24)?$/.exec(address)!;
  return `2001:db8:${network}::${length === undefined ? host : "/64"}`;
}

function toServer(interfaceName: string, via: string): PlannedRoute {
  return { destination: "10.9.0.0/24", via, interface: interfaceName };
}

export function twoPathsPlan(options: TwoPathsOptions): Plan {
  const { addressing = "ipv4" } = options;
  const plan = planOfIpv4(options);
  const routesOf = (routes: readonly PlannedRoute[]): PlannedRoute[] =>
    familiesOf[addressing].flatMap((family) => (family === "ipv4" ? routes : routes.map(routeOverIpv6)));
  return {
    ...plan,
    nodes: plan.nodes.map((node) => ({
      ...node,
      interfaces: node.interfaces.map((own): PlannedInterface => {
        if (addressing === "ipv4") return own;
        const other = {
          address: overIpv6(own.address),
          prefixLength: 64,
          ...(own.gateway !== undefined && { gateway: overIpv6(own.gateway) }),
        };
        return addressing === "ipv6" ? { ...own, ...other } : { ...own, second: other };
      }),
      routes: routesOf(node.routes),
      sourceRoutes: familiesOf[addressing].flatMap((family) =>
        family === "ipv4"
          ? node.sourceRoutes
          : node.sourceRoutes.map(({ from, table, routes }) => ({
              from: overIpv6(from),
              table,
              routes: routes.map(routeOverIpv6),
            })),
      ),
    })),
  };
}

function routeOverIpv6({ destination, via, ...rest }: PlannedRoute): PlannedRoute {
  return {
    ...rest,
    destination: destination === "default" ? destination : overIpv6(destination),
    ...(via !== undefined && { via: overIpv6(via) }),
  };
}

function planOfIpv4(options: TwoPathsOptions): Plan {
  const { lab, substrate, access = "direct", kernelAddresses = true, accessDelayMicroseconds = 0 } = options;
  const emulated = access !== "direct";
  let macs = 0;
  const planned = (
    name: string,
    link: string,
    address: string,
    gateway?: string,
    isEmulated = false,
    kernelAddress = true,
  ): PlannedInterface => ({
    name,
    link,
    address,
    mac: `02:00:00:00:00:${(++macs).toString(16).padStart(2, "0")}`,
    prefixLength: 24,
    mtu: 1500,
    ...(gateway === undefined ? {} : { gateway }),
    offload: !isEmulated,
    kernelAddress,
  });
  const node = (
    name: string,
    kind: PlannedNode["kind"],
    interfaces: PlannedInterface[],
    routes: PlannedRoute[],
  ): PlannedNode => ({
    name,
    kind,
    systemName: `pl-${lab}-${name}`,
    interfaces,
    routes,
    sourceRoutes: [],
    sysctls: { "net.mptcp.blackhole_timeout": "0" },
    reason: "test",
  });
  const link = (
    name: string,
    one: [string, string],
    other: [string, string],
    realisation: PlannedLink["realisation"] = "direct",
  ): PlannedLink => {
    const ends = [one, other].map(([node, interfaceName], index) => ({
      node,
      interface: interfaceName,
      ...(realisation === "direct" ? {} : { emulatorInterface: `${name}${index}` }),
    }));
    const direction = realisation === "direct" ? { seed: 1 } : { seed: 1, delayMicroseconds: accessDelayMicroseconds };
    return {
      name,
      realisation,
      ends: ends as unknown as PlannedLink["ends"],
      forward: direction,
      backward: direction,
      measured: false,
      reason: "test",
    };
  };
  return {
    version: 1,
    experiment: "two-paths",
    lab,
    substrate,
    seed: 1,
    nodes: [
      {
        ...node(
          "phone",
          "host",
          [
            planned("wlan0", "wifi", phoneAddresses.wifi, "10.1.0.1", emulated, kernelAddresses),
            planned("wwan0", "cellular", phoneAddresses.cellular, "10.2.0.1", emulated, kernelAddresses),
          ],
          [
            { destination: "default", via: "10.1.0.1", interface: "wlan0", metric: 100 },
            { destination: "default", via: "10.2.0.1", interface: "wwan0", metric: 200 },
          ],
        ),
        sourceRoutes: [
          {
            from: phoneAddresses.wifi,
            table: 101,
            routes: [{ destination: "default", via: "10.1.0.1", interface: "wlan0" }],
          },
          {
            from: phoneAddresses.cellular,
            table: 102,
            routes: [{ destination: "default", via: "10.2.0.1", interface: "wwan0" }],
          },
        ],
      },
      node(
        "ap",
        "router",
        [planned("lan", "wifi", "10.1.0.1", undefined, emulated), planned("wan", "ap-internet", "10.3.0.1")],
        [toServer("wan", "10.3.0.2")],
      ),
      node(
        "tower",
        "router",
        [planned("lan", "cellular", "10.2.0.1", undefined, emulated), planned("wan", "tower-internet", "10.4.0.1")],
        [toServer("wan", "10.4.0.2")],
      ),
      node(
        "internet",
        "router",
        [
          planned("ap", "ap-internet", "10.3.0.2"),
          planned("tower", "tower-internet", "10.4.0.2"),
          planned("server", "core", "10.9.0.1"),
        ],
        [
          { destination: "10.1.0.0/24", via: "10.3.0.1", interface: "ap" },
          { destination: "10.2.0.0/24", via: "10.4.0.1", interface: "tower" },
        ],
      ),
      node(
        "server",
        "host",
        [planned("eth0", "core", serverAddress, "10.9.0.1")],
        [{ destination: "default", via: "10.9.0.1", interface: "eth0" }],
      ),
    ],
    links: [
      link("wifi", ["phone", "wlan0"], ["ap", "lan"], access),
      link("cellular", ["phone", "wwan0"], ["tower", "lan"], access),
      link("ap-internet", ["ap", "wan"], ["internet", "ap"]),
      link("tower-internet", ["tower", "wan"], ["internet", "tower"]),
      link("core", ["internet", "server"], ["server", "eth0"]),
    ],
    workloads: [],
    faults: [],
    expectations: [],
    capture: { enabled: false, snapLength: 0 },
    metricsIntervalMicroseconds: 100_000,
    deadlineMicroseconds: 1_000_000,
  };
}
