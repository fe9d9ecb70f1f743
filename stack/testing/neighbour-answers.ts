/** The router at the core of a test's network has every address that anybody asks for. */

import { etherType, ethernetHeaderLength, readMac, writeEthernetHeader } from "../wire/ethernet.ts";
import { icmpv6Type } from "../wire/icmpv6.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { ipv6HeaderLength, writeIpv6Header } from "../wire/ipv6.ts";
import { readIpv6 } from "../wire/ipv6-address.ts";
import { neighbourAdvertisement, neighbourHopLimit } from "../wire/neighbour-discovery.ts";

const arpRequest = 1;
const routerMac = { high: 0x02fe, low: 0 };
const icmpStart = ethernetHeaderLength + ipv6HeaderLength;

/** The answer to an ARP request or a neighbour solicitation, "none" for ARP that asks nothing, undefined for any other frame. */
export function answerNeighbour(frame: Uint8Array): Uint8Array | "none" | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const type = view.getUint16(12);
  if (type === etherType.arp) return view.getUint16(20) === arpRequest ? answerArp(frame, view) : "none";
  const isIcmpv6 = type === etherType.ipv6 && frame[ethernetHeaderLength + 6] === ipProtocol.icmpv6;
  if (!isIcmpv6 || frame[icmpStart] !== icmpv6Type.neighbourSolicitation) return undefined;
  const asker = readIpv6(view, ethernetHeaderLength + 8);
  const target = readIpv6(view, icmpStart + 8);
  const message = neighbourAdvertisement(target, asker, routerMac, true);
  const answer = new Uint8Array(icmpStart + message.length);
  const out = new DataView(answer.buffer);
  writeEthernetHeader(out, 0, readMac(view, 6), routerMac, etherType.ipv6);
  const { length } = message;
  writeIpv6Header(out, ethernetHeaderLength, length, ipProtocol.icmpv6, target, asker, 0, 0, neighbourHopLimit);
  answer.set(message, icmpStart);
  return answer;
}

/** Turns the request into its reply, in place. */
function answerArp(frame: Uint8Array, view: DataView): Uint8Array {
  const sender = view.getUint32(28);
  const target = view.getUint32(38);
  view.setUint16(20, 2);
  view.setUint16(22, routerMac.high);
  view.setUint32(24, routerMac.low);
  view.setUint32(28, target);
  view.setUint32(38, sender);
  return frame;
}
