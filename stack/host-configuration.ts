/** Options of a host to checked values. */

import { ConfigurationError, type HostOptions, type InterfaceOptions } from "./host-options.ts";
import { defaultMultipathPolicy, type MultipathPolicy } from "./mptcp/multipath-policy.ts";
import { NetworkInterface } from "./network-interface.ts";
import type { TcpOptions } from "./tcp/tcp-options.ts";
import { parseMac } from "./wire/ethernet.ts";
import { inPrefix, type IpAddress, parseIpAddress } from "./wire/ip-address.ts";

const minimumMtu = 576;
const maximumMtu = 65_535;
const minimumBuffer = 4_096;
const maximumBuffer = 2 ** 30;

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

/** @throws ConfigurationError */
export function checkedBuffer(name: string, bytes: number | undefined, fallback: number): number {
  if (bytes === undefined) return fallback;
  if (!Number.isInteger(bytes) || bytes < minimumBuffer || bytes > maximumBuffer) {
    throw new ConfigurationError(name, `${bytes} is not an integer from ${minimumBuffer} to ${maximumBuffer}`);
  }
  return bytes;
}

/** @throws ConfigurationError */
export function checkedMultipathPolicy(options: HostOptions): MultipathPolicy {
  const {
    allowJoinInitialAddress = defaultMultipathPolicy.allowJoinInitialAddress,
    maximumSubflows = defaultMultipathPolicy.maximumSubflows,
    maximumAddressesAccepted = defaultMultipathPolicy.maximumAddressesAccepted,
    closeTimeoutMicroseconds = defaultMultipathPolicy.closeTimeoutMicroseconds,
    fastClose = defaultMultipathPolicy.fastClose,
  } = options;
  requireInteger("maximumSubflows", maximumSubflows, 0, 255);
  requireInteger("maximumAddressesAccepted", maximumAddressesAccepted, 0, 255);
  requireInteger("closeTimeoutMicroseconds", closeTimeoutMicroseconds, 0, Number.MAX_SAFE_INTEGER);
  if (options.mptcp && options.pathManager === "full-mesh" && maximumSubflows === 0)
    throw new ConfigurationError("maximumSubflows", 'pathManager "full-mesh" opens subflows, and 0 allows none');
  if (fastClose !== "reset" && fastClose !== "acknowledgement")
    throw new ConfigurationError("fastClose", `"${String(fastClose)}" is neither "reset" nor "acknowledgement"`);
  return { allowJoinInitialAddress, maximumSubflows, maximumAddressesAccepted, closeTimeoutMicroseconds, fastClose };
}

function requireInteger(path: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new ConfigurationError(path, `${value} is not an integer from ${minimum} to ${maximum}`);
}

/** @throws ConfigurationError for what is no positive number */
export function checkedTcpOptions(options: TcpOptions): TcpOptions {
  const { keepAlive, userTimeoutMicroseconds } = options;
  requirePositive("tcp.userTimeoutMicroseconds", userTimeoutMicroseconds);
  requirePositive("tcp.keepAlive.idleMicroseconds", keepAlive?.idleMicroseconds);
  requirePositive("tcp.keepAlive.intervalMicroseconds", keepAlive?.intervalMicroseconds);
  requirePositive("tcp.keepAlive.probes", keepAlive?.probes);
  return options;
}

function requirePositive(path: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0))
    throw new ConfigurationError(path, `${value} is not a positive number`);
}

/** @throws ConfigurationError */
export function checkedName<T>(path: string, name: string, known: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined)
    throw new ConfigurationError(path, `"${name}" is not one of ${Object.keys(known).join(", ")}`);
  return value;
}

function buildInterface(given: InterfaceOptions, index: number, path: string): NetworkInterface {
  const mac = parseMac(given.mac);
  if (mac === undefined) throw new ConfigurationError(`${path}.mac`, `"${given.mac}" is not a hardware address`);
  if (!Number.isInteger(given.mtu) || given.mtu < minimumMtu || given.mtu > maximumMtu) {
    throw new ConfigurationError(`${path}.mtu`, `${given.mtu} is not an integer from ${minimumMtu} to ${maximumMtu}`);
  }
  if (given.addresses.length === 0)
    throw new ConfigurationError(`${path}.addresses`, "an interface needs at least one address");
  const addresses = given.addresses.map(({ address: text, prefixLength }, i) => {
    const address = checkedAddress(`${path}.addresses[${i}].address`, text);
    if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > 32) {
      throw new ConfigurationError(
        `${path}.addresses[${i}].prefixLength`,
        `${prefixLength} is not an integer from 1 to 32`,
      );
    }
    return { address, prefixLength };
  });
  const gateway = given.gateway === undefined ? undefined : checkedAddress(`${path}.gateway`, given.gateway);
  if (
    gateway !== undefined &&
    !addresses.some(({ address, prefixLength }) => inPrefix(gateway, address, prefixLength))
  ) {
    throw new ConfigurationError(`${path}.gateway`, `${given.gateway} is in none of the interface's prefixes`);
  }
  const { name, mtu, gso, checksumOffload = gso } = given;
  return new NetworkInterface({ index, name, mac, mtu, gso, checksumOffload, addresses, gateway });
}

/** @throws ConfigurationError */
export function checkedAddress(path: string, text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new ConfigurationError(path, `"${text}" is not an IPv4 address`);
  return address;
}
