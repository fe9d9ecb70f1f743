/** Addresses and Ethernet addresses of all interfaces: those that the topology gives, and for the rest one subnet a link, numbered in the links' order. */
import { interfaceNames } from "../model/interface-names.ts";
import { formatIpv4, isHostAddress, parseIpv4, subnetOf, subnetSize, subnetsOverlap } from "../model/ipv4-address.ts";
import type { Subnet } from "../model/ipv4-address.ts";
import type { Topology, TopologyLink } from "../model/topology.ts";

/** One end of a link with everything decided. */
export interface AddressedEnd {
  readonly node: string;
  readonly kind: "host" | "router";
  readonly interface: string;
  readonly link: string;
  readonly address: number;
  readonly prefixLength: number;
  readonly mac: string;
  readonly mtu: number;
}

export interface AddressedLink {
  readonly name: string;
  readonly subnet: Subnet;
  readonly ends: readonly [AddressedEnd, AddressedEnd];
}

const defaultMtu = 1500;
const defaultPrefixLength = 24;

/** 10.0.1.0/24 … 10.255.255.0/24. */
export const addressableLinks = 0xffff;

/** @param lab four hexadecimal digits: Ethernet addresses of labs side by side differ */
export function addressLinks(topology: Topology, lab: string): AddressedLink[] {
  const names = interfaceNames(topology.links);
  const links = Object.entries(topology.links);
  const takenSubnets = links.flatMap(([, link]) => givenSubnet(link) ?? []);
  const takenMacs = new Set(links.flatMap(([, { ends }]) => ends.flatMap(({ mac }) => mac ?? [])));
  let number = 0;
  return links.map(([name, link], index) => {
    let subnet = givenSubnet(link);
    while (!subnet) {
      number++;
      const candidate = { network: (10 << 24) + number * 256, prefixLength: defaultPrefixLength };
      if (!takenSubnets.some((taken) => subnetsOverlap(taken, candidate))) subnet = candidate;
    }
    const addresses = endAddresses(link, subnet, topology);
    const [first, second] = link.ends.map((end, side): AddressedEnd => ({
      node: end.node,
      kind: Object.hasOwn(topology.hosts, end.node) ? "host" : "router",
      interface: names.get(name)![side]!,
      link: name,
      address: addresses[side]!,
      prefixLength: subnet.prefixLength,
      mac: end.mac ?? freeMac(lab, index + 1, side + 1, takenMacs),
      mtu: link.mtu ?? defaultMtu,
    })) as [AddressedEnd, AddressedEnd];
    return { name, subnet, ends: [first, second] };
  });
}

function givenSubnet({ ends }: TopologyLink): Subnet | undefined {
  const given = ends.find(({ address }) => address)?.address;
  return given && subnetOf(parseIpv4(given.address)!, given.prefixLength);
}

/** The router of a link is .1 and its host .2; of two alike the first end is .1. */
function endAddresses({ ends }: TopologyLink, subnet: Subnet, topology: Topology): [number, number] {
  const given = ends.map(({ address }) => (address ? parseIpv4(address.address) : undefined));
  const isHost = ends.map(({ node }) => Object.hasOwn(topology.hosts, node));
  const order = isHost[0] && !isHost[1] ? [1, 0] : [0, 1];
  const addresses = [...given];
  for (const side of order) addresses[side] ??= freeAddress(subnet, addresses);
  return addresses as [number, number];
}

function freeAddress({ network, prefixLength }: Subnet, taken: readonly (number | undefined)[]): number {
  for (let address = network; address < network + subnetSize(prefixLength); address++) {
    if (isHostAddress(address, prefixLength) && !taken.includes(address)) return address;
  }
  throw new RangeError(`no free address in ${formatIpv4(network)}/${prefixLength}`);
}

/** Locally administered (second bit of the first octet): lab, number of the link, end. */
function freeMac(lab: string, link: number, end: number, taken: ReadonlySet<string>): string {
  for (let last = end; ; last += 2) {
    const mac = `02:${lab.slice(0, 2)}:${lab.slice(2, 4)}:${pair(link >> 8)}:${pair(link & 0xff)}:${pair(last)}`;
    if (!taken.has(mac)) return mac;
  }
}

const pair = (value: number): string => value.toString(16).padStart(2, "0");
