/** IPv4 addresses as files write them and as unsigned 32-bit numbers. */

export function parseIpv4(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255))
    return undefined;
  return octets.reduce((address, octet) => address * 256 + Number(octet), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export interface Subnet {
  /** First address of the subnet. */
  readonly network: number;
  readonly prefixLength: number;
}

export const subnetSize = (prefixLength: number): number => 2 ** (32 - prefixLength);

export function subnetOf(address: number, prefixLength: number): Subnet {
  return { network: address - (address % subnetSize(prefixLength)), prefixLength };
}

export function formatSubnet({ network, prefixLength }: Subnet): string {
  return `${formatIpv4(network)}/${prefixLength}`;
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return a.network < b.network + subnetSize(b.prefixLength) && b.network < a.network + subnetSize(a.prefixLength);
}

export function subnetContains(subnet: Subnet, address: number): boolean {
  return address >= subnet.network && address < subnet.network + subnetSize(subnet.prefixLength);
}

/** Addresses that a host can have: all but the network's and the broadcast's; on a /31 both (RFC 3021). */
export function isHostAddress(address: number, prefixLength: number): boolean {
  const firstOctet = Math.floor(address / 2 ** 24);
  if (firstOctet === 0 || firstOctet === 127 || firstOctet >= 224) return false;
  if (prefixLength >= 31) return prefixLength === 31;
  const offset = address % subnetSize(prefixLength);
  return offset !== 0 && offset !== subnetSize(prefixLength) - 1;
}
