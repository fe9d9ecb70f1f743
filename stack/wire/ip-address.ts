/** Addresses as numbers, so that looking up a flow hashes no string. IPv4 is its own 32 bits; values from 2³² up are kept for interned IPv6 addresses. */

declare const brand: unique symbol;
export type IpAddress = number & { readonly [brand]: "IpAddress" };

export const unspecifiedAddress = 0 as IpAddress;

export function ipv4FromNumber(value: number): IpAddress {
  return (value >>> 0) as IpAddress;
}

/** Parses dotted IPv4; undefined when it is not one. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i]);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value as IpAddress;
}

export function formatIpAddress(address: IpAddress): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function inPrefix(address: IpAddress, prefix: IpAddress, prefixLength: number): boolean {
  return prefixLength === 0 || (address ^ prefix) >>> (32 - prefixLength) === 0;
}
