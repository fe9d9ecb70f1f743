/** Texts of the command line to values; what cannot be is refused with what was found and what was expected. */
import { InvalidArgumentError } from "commander";
import { isIP, isIPv6 } from "node:net";
import { parseStatusAddress, type StatusAddress } from "../status/status-address.ts";

/** One `--interface`: a path, with the addresses that our stack has there and the kernel has not. */
export interface PathInterface {
  readonly name: string;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
  readonly gateway?: string;
  readonly ipv6Gateway?: string;
  readonly backup: boolean;
  /** The device need not be there yet. */
  readonly optional: boolean;
}

const interfaceForm = "NAME=ADDRESS/LENGTH[,ADDRESS/LENGTH…][,via=ROUTER…][,backup][,optional]";

export function collectInterface(text: string, before: readonly PathInterface[] = []): PathInterface[] {
  const parsed = parseInterface(text);
  if (before.some(({ name }) => name === parsed.name))
    throw new InvalidArgumentError(`${parsed.name} is given twice: put its addresses into one --interface.`);
  return [...before, parsed];
}

export function parseInterface(text: string): PathInterface {
  const [, name, rest] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || rest === undefined)
    throw new InvalidArgumentError(`"${text}" is not ${interfaceForm}, as in wlan0=192.0.2.10/24.`);
  const parts = rest.split(",");
  const routers = parts.filter((part) => part.startsWith("via=")).map((part) => parseRouter(part.slice(4)));
  const addresses = parts
    .filter((part) => part !== "backup" && part !== "optional" && !part.startsWith("via="))
    .map(parsePrefix);
  if (addresses.length === 0) throw new InvalidArgumentError(`"${text}" gives ${name} no address: ${interfaceForm}.`);
  const gateway = routers.find((router) => !isIPv6(router));
  const ipv6Gateway = routers.find(isIPv6);
  return {
    name,
    addresses,
    backup: parts.includes("backup"),
    optional: parts.includes("optional"),
    ...(gateway !== undefined && { gateway }),
    ...(ipv6Gateway !== undefined && { ipv6Gateway }),
  };
}

function parsePrefix(text: string): { address: string; prefixLength: number } {
  const [, address = "", length = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const prefixLength = Number(length);
  if (isIP(address) === 0 || prefixLength < 1 || prefixLength > (isIPv6(address) ? 128 : 32))
    throw new InvalidArgumentError(`"${text}" is not ADDRESS/LENGTH, as in 192.0.2.10/24 or fd00::10/64.`);
  return { address, prefixLength };
}

function parseRouter(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError(`"via=${text}": a router has an IP address.`);
  return text;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError(`"${text}" is not a port: a whole number from 1 to 65535.`);
  return port;
}

export function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError(`"${text}" is not an IP address.`);
  return text;
}

/** Whole numbers of `what` from `least` to `most`. */
export function wholeNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`"${text}" is not a number of ${what} from ${least} to ${most}.`);
    return value;
  };
}

/** Positive seconds, also parts of them, as microseconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || !(seconds > 0) || seconds > 1e6)
    throw new InvalidArgumentError(`"${text}" is not a time in seconds, as in 30 or 0.5.`);
  return Math.round(seconds * 1e6);
}

const multiples: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

export function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([a-z]*)$/i.exec(text) ?? [];
  const multiple = multiples[unit.toLowerCase()];
  const bytes = Number(digits) * (multiple ?? Number.NaN);
  if (digits === "" || !(bytes > 0))
    throw new InvalidArgumentError(
      `"${text}" is not a size: bytes, or a number with kB, MB, GB, KiB, MiB or GiB, as in 4MiB.`,
    );
  return bytes;
}

export function parseStatus(text: string): StatusAddress {
  const address = parseStatusAddress(text);
  if (address === undefined)
    throw new InvalidArgumentError(
      `"${text}" is neither a path with a slash, as in ./endpoint.sock, nor a port, as in 9100 or 127.0.0.1:9100.`,
    );
  return address;
}
