/** Addresses and Ethernet addresses of all interfaces: those that the topology gives, and for the rest one subnet a link and family, numbered in the links' order. */
import { interfaceNames } from "../model/interface-names.ts";
import {
  addressBits,
  addressFamilies,
  addressOfWords,
  familiesOf,
  familyOf,
  familyOfText,
  formatIpAddress,
  formatSubnet,
  isHostAddress,
  parseAddress,
  subnetOf,
  subnetsOverlap,
  wordsOf,
} from "../model/ip-address.ts";
import type { AddressFamily, IpAddress, Subnet } from "../model/ip-address.ts";
import type { Topology, TopologyLink, TopologyLinkEnd } from "../model/topology.ts";

/** One end of a link with everything decided. */
export interface AddressedEnd {
  readonly node: string;
  readonly kind: "host" | "router";
  readonly interface: string;
  readonly link: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly mac: string;
  readonly mtu: number;
}

export interface AddressedLink {
  readonly name: string;
  readonly family: AddressFamily;
  readonly subnet: Subnet;
  readonly ends: readonly [AddressedEnd, AddressedEnd];
}

const defaultMtu = 1500;

/** 10.0.1.0/24 … 10.255.255.0/24, and of IPv6 2001:db8:0:1::/64 … 2001:db8:0:ffff::/64, which stand for no network of the world (RFC 3849). */
const subnetNumbered: Readonly<Record<AddressFamily, (number: number) => Subnet>> = {
  ipv4: (number) => ({ network: addressOfWords([(10 << 24) + number * 256]), prefixLength: 24 }),
  ipv6: (number) => ({ network: addressOfWords([0x2001_0db8, number, 0, 0]), prefixLength: 64 }),
};

export const addressableLinks = 0xffff;
export const addressableNetwork: Readonly<Record<AddressFamily, string>> = {
  ipv4: "10.0.0.0/8",
  ipv6: "2001:db8::/48",
};

/**
 * Each link with its addresses; one of both families comes twice, IPv4 first.
 *
 * @param lab four hexadecimal digits: Ethernet addresses of labs side by side differ
 */
export function addressLinks(topology: Topology, lab: string): AddressedLink[] {
  const names = interfaceNames(topology.links);
  const links = Object.entries(topology.links);
  const takenSubnets = links.flatMap(([, link]) =>
    addressFamilies.flatMap((family) => givenSubnet(link, family) ?? []),
  );
  const takenMacs = new Set(links.flatMap(([, { ends }]) => ends.flatMap(({ mac }) => mac ?? [])));
  const numbers: Record<AddressFamily, number> = { ipv4: 0, ipv6: 0 };
  const freeSubnet = (family: AddressFamily): Subnet => {
    for (;;) {
      const candidate = subnetNumbered[family](++numbers[family]);
      if (!takenSubnets.some((taken) => subnetsOverlap(taken, candidate))) return candidate;
    }
  };
  return links.flatMap(([name, link], index) => {
    const macs = link.ends.map(({ mac }, side) => mac ?? freeMac(lab, index + 1, side + 1, takenMacs));
    return familiesOf[link.addressing ?? topology.addressing].map((family): AddressedLink => {
      const subnet = givenSubnet(link, family) ?? freeSubnet(family);
      const addresses = endAddresses(link, subnet, family, topology);
      const [first, second] = link.ends.map((end, side): AddressedEnd => ({
        node: end.node,
        kind: Object.hasOwn(topology.hosts, end.node) ? "host" : "router",
        interface: names.get(name)![side]!,
        link: name,
        address: addresses[side]!,
        prefixLength: subnet.prefixLength,
        mac: macs[side]!,
        mtu: link.mtu ?? defaultMtu,
      })) as [AddressedEnd, AddressedEnd];
      return { name, family, subnet, ends: [first, second] };
    });
  });
}

function givenSubnet({ ends }: TopologyLink, family: AddressFamily): Subnet | undefined {
  const given = ends.find((end) => givenAddress(end, family) !== undefined)?.address;
  return given && subnetOf(parseAddress(given.address)!, given.prefixLength);
}

function givenAddress({ address }: TopologyLinkEnd, family: AddressFamily): string | undefined {
  return address && familyOfText(address.address) === family ? address.address : undefined;
}

/** The router of a link is .1 (::1) and its host .2 (::2); of two alike the first end is .1. */
function endAddresses(
  { ends }: TopologyLink,
  subnet: Subnet,
  family: AddressFamily,
  topology: Topology,
): [string, string] {
  const isHost = ends.map(({ node }) => Object.hasOwn(topology.hosts, node));
  const order = isHost[0] && !isHost[1] ? [1, 0] : [0, 1];
  const addresses = ends.map((end) => givenAddress(end, family));
  for (const side of order) addresses[side] ??= freeAddress(subnet, addresses);
  return addresses as [string, string];
}

/** One of the first: of two ends at most one has an address already. */
function freeAddress(subnet: Subnet, taken: readonly (string | undefined)[]): string {
  const { network, prefixLength } = subnet;
  const count = Math.min(2 ** (addressBits[familyOf(network)] - prefixLength), mostTried);
  for (let offset = 0; offset < count; offset++) {
    const address = plus(network, offset);
    const text = formatIpAddress(address);
    if (isHostAddress(address, prefixLength) && !taken.includes(text)) return text;
  }
  throw new RangeError(`no free address in ${formatSubnet(subnet)}`);
}

/** The subnet's own, one that is taken, and a free one. */
const mostTried = 3;

/** Within a subnet that is not as small as `offset`: no word flows over. */
function plus(network: IpAddress, offset: number): IpAddress {
  const words = wordsOf(network);
  return addressOfWords([...words.slice(0, -1), words.at(-1)! + offset]);
}

/** Locally administered (second bit of the first octet): lab, number of the link, end. */
function freeMac(lab: string, link: number, end: number, taken: ReadonlySet<string>): string {
  for (let last = end; ; last += 2) {
    const mac = `02:${lab.slice(0, 2)}:${lab.slice(2, 4)}:${pair(link >> 8)}:${pair(link & 0xff)}:${pair(last)}`;
    if (!taken.has(mac)) return mac;
  }
}

const pair = (value: number): string => value.toString(16).padStart(2, "0");
