/** Ethernet II framing (RFC 894). Hardware addresses are kept as two numbers: the upper 16 and the lower 32 bits. */

export const ethernetHeaderLength = 14;
export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

export interface MacAddress {
  readonly high: number;
  readonly low: number;
}

export const broadcastMac: MacAddress = { high: 0xffff, low: 0xffff_ffff };

/** Of an IPv6 group, by the last 32 bits of its address (RFC 2464 §7). */
export function multicastMac(lastWord: number): MacAddress {
  return { high: 0x3333, low: lastWord >>> 0 };
}

/** Parses `02:00:00:00:00:01`; undefined when it is not a hardware address. */
export function parseMac(text: string): MacAddress | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  const digits = text.replaceAll(":", "");
  return { high: Number.parseInt(digits.slice(0, 4), 16), low: Number.parseInt(digits.slice(4), 16) };
}

export function readMac(view: DataView, offset: number): MacAddress {
  return { high: view.getUint16(offset), low: view.getUint32(offset + 2) };
}

export function writeMac(view: DataView, offset: number, mac: MacAddress): void {
  view.setUint16(offset, mac.high);
  view.setUint32(offset + 2, mac.low);
}

export function writeEthernetHeader(
  view: DataView,
  offset: number,
  destination: MacAddress,
  source: MacAddress,
  type: number,
): void {
  writeMac(view, offset, destination);
  writeMac(view, offset + 6, source);
  view.setUint16(offset + 12, type);
}
