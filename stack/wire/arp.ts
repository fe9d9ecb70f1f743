/** ARP for IPv4 over Ethernet (RFC 826). */

import { type MacAddress, readMac, writeMac } from "./ethernet.ts";
import { type Ipv4Address, ipv4FromNumber } from "./ip-address.ts";

export const arpLength = 28;
export const arpOperation = { request: 1, reply: 2 } as const;

export interface ArpPacket {
  operation: number;
  senderMac: MacAddress;
  senderAddress: Ipv4Address;
  targetMac: MacAddress;
  targetAddress: Ipv4Address;
}

/** undefined: not ARP for IPv4 over Ethernet, or too short. */
export function parseArp(view: DataView, offset: number, length: number): ArpPacket | undefined {
  if (length < arpLength) return undefined;
  if (view.getUint32(offset) !== 0x0001_0800 || view.getUint16(offset + 4) !== 0x0604) return undefined;
  return {
    operation: view.getUint16(offset + 6),
    senderMac: readMac(view, offset + 8),
    senderAddress: ipv4FromNumber(view.getUint32(offset + 14)),
    targetMac: readMac(view, offset + 18),
    targetAddress: ipv4FromNumber(view.getUint32(offset + 24)),
  };
}

export function writeArp(view: DataView, offset: number, packet: ArpPacket): void {
  view.setUint32(offset, 0x0001_0800);
  view.setUint16(offset + 4, 0x0604);
  view.setUint16(offset + 6, packet.operation);
  writeMac(view, offset + 8, packet.senderMac);
  view.setUint32(offset + 14, packet.senderAddress);
  writeMac(view, offset + 18, packet.targetMac);
  view.setUint32(offset + 24, packet.targetAddress);
}
