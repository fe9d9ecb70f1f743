/** Addresses and subnets of both families as topologies and plans have them; an address is the stack's (stack/wire/ip-address.ts). */
import {
  formatIpAddress,
  inPrefix,
  ipv4FromNumber,
  isIpv6,
  parseIpAddress,
  unmapped,
  type IpAddress,
} from "../../stack/wire/ip-address.ts";
import { ipv6FromWords, isLinkLocal, isMulticast, keepIpv6, type Ipv6Address } from "../../stack/wire/ipv6-address.ts";

export { formatIpAddress, type IpAddress };

export const addressFamilies = ["ipv4", "ipv6"] as const;
export type AddressFamily = (typeof addressFamilies)[number];

/** Of a topology or of a link: one family, or an address of each on every interface. */
export const addressings = ["ipv4", "ipv6", "dual"] as const;
export type Addressing = (typeof addressings)[number];

export const familiesOf: Readonly<Record<Addressing, readonly AddressFamily[]>> = {
  ipv4: ["ipv4"],
  ipv6: ["ipv6"],
  dual: ["ipv4", "ipv6"],
};

export const familyName: Readonly<Record<AddressFamily, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
export const addressBits: Readonly<Record<AddressFamily, number>> = { ipv4: 32, ipv6: 128 };
/** From all addresses but a few hundred networks to subnets of two. */
export const prefixLengths: Readonly<Record<AddressFamily, readonly [number, number]>> = {
  ipv4: [8, 31],
  ipv6: [16, 127],
};

/** Undefined where it is neither; IPv4 with leading zeros, which others read as octal, is none. */
export function parseAddress(text: string): IpAddress | undefined {
  if (!text.includes(":") && !/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){3}$/.test(text)) return undefined;
  return parseIpAddress(text);
}

export function familyOf(address: IpAddress): AddressFamily {
  return isIpv6(address) ? "ipv6" : "ipv4";
}

/** Of `fd00::1` and of `fd00::/64` too. */
export function familyOfText(address: string): AddressFamily {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** From the address's first on: four of IPv6, one of IPv4, unsigned. */
export function wordsOf(address: IpAddress): number[] {
  if (!isIpv6(address)) return [address];
  return [address.word0, address.word1, address.word2, address.word3].map((word) => word >>> 0);
}

export function addressOfWords(words: readonly number[]): IpAddress {
  const [first = 0, second = 0, third = 0, fourth = 0] = words;
  return words.length === 1 ? ipv4FromNumber(first) : keepIpv6(ipv6FromWords(first, second, third, fourth));
}

export interface Subnet {
  /** First address of the subnet. */
  readonly network: IpAddress;
  readonly prefixLength: number;
}

export function subnetOf(address: IpAddress, prefixLength: number): Subnet {
  const words = wordsOf(address).map((word, index) => {
    const bits = Math.min(Math.max(prefixLength - 32 * index, 0), 32);
    return word - (word % 2 ** (32 - bits));
  });
  return { network: addressOfWords(words), prefixLength };
}

/** `10.0.2.0/24`, or `0.0.0.0/0` and `::/0` for `default`. @throws RangeError when it is no subnet */
export function parseSubnet(text: string, family: AddressFamily): Subnet {
  if (text === "default") return { network: addressOfWords(family === "ipv4" ? [0] : [0, 0, 0, 0]), prefixLength: 0 };
  const [address = "", length] = text.split("/");
  const parsed = parseAddress(address);
  if (parsed === undefined || length === undefined) throw new RangeError(`${text} is no subnet`);
  return subnetOf(parsed, Number(length));
}

export function formatSubnet({ network, prefixLength }: Subnet): string {
  return `${formatIpAddress(network)}/${prefixLength}`;
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return inPrefix(a.network, b.network, Math.min(a.prefixLength, b.prefixLength));
}

export function subnetContains(subnet: Subnet, address: IpAddress): boolean {
  return inPrefix(address, subnet.network, subnet.prefixLength);
}

/**
 * Addresses that a host can have and that routers forward to: not the subnet's own (of IPv6 that is any router's, RFC 4291 §2.6.1) nor its broadcast; where there are but two, both (RFC 3021,
 * RFC 6164).
 */
export function isHostAddress(address: IpAddress, prefixLength: number): boolean {
  if (isIpv6(address)) return isIpv6HostAddress(address, prefixLength);
  const firstOctet = address >>> 24;
  if (firstOctet === 0 || firstOctet === 127 || firstOctet >= 224) return false;
  if (prefixLength >= 31) return prefixLength === 31;
  const size = 2 ** (32 - prefixLength);
  return address % size !== 0 && address % size !== size - 1;
}

function isIpv6HostAddress(address: Ipv6Address, prefixLength: number): boolean {
  const { word0, word1, word2, word3 } = address;
  const isUnspecifiedOrLoopback = word0 === 0 && word1 === 0 && word2 === 0 && word3 >>> 1 === 0;
  if (isUnspecifiedOrLoopback || isMulticast(address) || isLinkLocal(address) || unmapped(address) !== address)
    return false;
  return prefixLength >= 127 ? prefixLength === 127 : subnetOf(address, prefixLength).network !== address;
}
