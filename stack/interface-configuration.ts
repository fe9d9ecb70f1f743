/** Options of interfaces and addresses to checked values. */

import { type AddressOptions, ConfigurationError, type HostOptions, type InterfaceOptions } from "./host-options.ts";
import { type InterfaceAddress, NetworkInterface } from "./network-interface.ts";
import { type MacAddress, parseMac } from "./wire/ethernet.ts";
import {
  inPrefix,
  type IpAddress,
  type Ipv4Address,
  type Ipv6Address,
  isIpv6,
  parseIpAddress,
  unmapped,
  unspecifiedAddress,
} from "./wire/ip-address.ts";
import { minimumIpv6Mtu } from "./wire/ipv6.ts";
import { isLinkLocal, isMulticast, unspecifiedIpv6 } from "./wire/ipv6-address.ts";

const minimumMtu = 576;
const maximumMtu = 65_535;

/** @throws ConfigurationError */
export function buildInterfaces(options: HostOptions): NetworkInterface[] {
  if (options.interfaces.length === 0)
    throw new ConfigurationError("interfaces", "a host needs at least one interface");
  const names = new Set<string>();
  const addresses = new Map<IpAddress, string>();
  return options.interfaces.map((given, index) => {
    const path = `interfaces[${index}]`;
    if (names.has(given.name)) throw new ConfigurationError(`${path}.name`, `"${given.name}" is used twice`);
    names.add(given.name);
    const built = buildInterface(given, index, path);
    built.addresses.forEach(({ address }, i) => {
      const other = addresses.get(address);
      const place = `${path}.addresses[${i}].address`;
      if (other !== undefined) throw new ConfigurationError(place, `the same address as ${other}`);
      addresses.set(address, place);
    });
    return built;
  });
}

/** An address as an application gives it: what is IPv4 in the clothes of IPv6 is taken as IPv4. @throws ConfigurationError */
export function checkedAddress(path: string, text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new ConfigurationError(path, `"${text}" is not an IP address`);
  return unmapped(address);
}

function buildInterface(given: InterfaceOptions, index: number, path: string): NetworkInterface {
  const { name, gso, checksumOffload = gso, transparent = false } = given;
  if (given.addresses.length === 0 && !transparent)
    throw new ConfigurationError(`${path}.addresses`, "an interface needs at least one address");
  const addresses = given.addresses.map((own, i) => checkedOwnAddress(own, `${path}.addresses[${i}]`));
  const { mac, mtu } = checkedDevice(given, addresses, path);
  const gateway = checkedGateway(given.gateway, addresses, `${path}.gateway`);
  const ipv6Gateway = checkedIpv6Gateway(given.ipv6Gateway, addresses, `${path}.ipv6Gateway`);
  return new NetworkInterface({
    index,
    name,
    mac,
    mtu,
    gso,
    checksumOffload,
    addresses,
    gateway,
    ipv6Gateway,
    transparent,
  });
}

/** What a device brings to an interface with these addresses. @throws ConfigurationError */
export function checkedDevice(
  given: Pick<InterfaceOptions, "mac" | "mtu">,
  addresses: readonly InterfaceAddress[],
  path: string,
): { mac: MacAddress; mtu: number } {
  const mac = parseMac(given.mac);
  if (mac === undefined) throw new ConfigurationError(`${path}.mac`, `"${given.mac}" is not a hardware address`);
  const { mtu } = given;
  const least = addresses.some(({ address }) => isIpv6(address)) ? minimumIpv6Mtu : minimumMtu;
  if (!Number.isInteger(mtu) || mtu < least || mtu > maximumMtu)
    throw new ConfigurationError(`${path}.mtu`, `${mtu} is not an integer from ${least} to ${maximumMtu}`);
  return { mac, mtu };
}

/** @throws ConfigurationError */
export function checkedOwnAddress(given: AddressOptions, path: string): InterfaceAddress {
  const { address: text, prefixLength, port = 0 } = given;
  const address = checkedAddress(`${path}.address`, text);
  if (address === unspecifiedAddress || (isIpv6(address) && (address === unspecifiedIpv6 || isMulticast(address))))
    throw new ConfigurationError(`${path}.address`, `"${text}" is not the address of an interface`);
  const longest = isIpv6(address) ? 128 : 32;
  if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > longest) {
    throw new ConfigurationError(`${path}.prefixLength`, `${prefixLength} is not an integer from 1 to ${longest}`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ConfigurationError(`${path}.port`, `${port} is not an integer from 0 to 65535`);
  return { address, prefixLength };
}

function checkedGateway(
  text: string | undefined,
  addresses: readonly InterfaceAddress[],
  path: string,
): Ipv4Address | undefined {
  if (text === undefined) return undefined;
  const gateway = checkedAddress(path, text);
  if (isIpv6(gateway)) throw new ConfigurationError(path, `"${text}" is not an IPv4 address: see ipv6Gateway`);
  requireNeighbour(gateway, text, addresses, path);
  return gateway;
}

function checkedIpv6Gateway(
  text: string | undefined,
  addresses: readonly InterfaceAddress[],
  path: string,
): Ipv6Address | undefined {
  if (text === undefined) return undefined;
  const gateway = checkedAddress(path, text);
  if (!isIpv6(gateway)) throw new ConfigurationError(path, `"${text}" is not an IPv6 address: see gateway`);
  if (!addresses.some(({ address }) => isIpv6(address)))
    throw new ConfigurationError(path, "the interface has no IPv6 address");
  // A router may be known by what it calls itself on the link (RFC 4861 §6.3.4).
  if (!isLinkLocal(gateway)) requireNeighbour(gateway, text, addresses, path);
  return gateway;
}

function requireNeighbour(
  gateway: IpAddress,
  text: string,
  addresses: readonly InterfaceAddress[],
  path: string,
): void {
  if (!addresses.some(({ address, prefixLength }) => inPrefix(gateway, address, prefixLength)))
    throw new ConfigurationError(path, `${text} is in none of the interface's prefixes`);
}
