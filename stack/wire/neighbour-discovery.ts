/** Neighbour Solicitation and Advertisement (RFC 4861 §4.3, §4.4) over Ethernet (RFC 2464 §6). */

import { type MacAddress, readMac, writeMac } from "./ethernet.ts";
import { finishIcmpv6, icmpv6Type } from "./icmpv6.ts";
import { type Ipv6Address, isMulticast, readIpv6, writeIpv6 } from "./ipv6-address.ts";

/** Packets of neighbours have passed no router (RFC 4861 §7.1): what came from further away is forged. */
export const neighbourHopLimit = 255;

const messageLength = 24;
const optionLength = 8;
const optionType = { sourceLinkLayer: 1, targetLinkLayer: 2 } as const;
const flag = { solicited: 0x4000_0000, override: 0x2000_0000 } as const;

export interface NeighbourMessage {
  isSolicitation: boolean;
  /** Who is sought, or who answers. */
  target: Ipv6Address;
  /** An answer to a solicitation of ours, not said of the sender's own accord. */
  solicited: boolean;
  /** Of the source of a solicitation, of the target of an advertisement; undefined when it is not said. */
  mac: MacAddress | undefined;
}

/** undefined: neither of the two, or not well-formed. Checksum and hop limit are the caller's. */
export function parseNeighbourMessage(view: DataView, offset: number, length: number): NeighbourMessage | undefined {
  if (length < messageLength || view.getUint8(offset + 1) !== 0) return undefined;
  const type = view.getUint8(offset);
  const isSolicitation = type === icmpv6Type.neighbourSolicitation;
  if (!isSolicitation && type !== icmpv6Type.neighbourAdvertisement) return undefined;
  const target = readIpv6(view, offset + 8);
  if (isMulticast(target)) return undefined;
  const wanted = isSolicitation ? optionType.sourceLinkLayer : optionType.targetLinkLayer;
  let mac: MacAddress | undefined;
  const end = offset + length;
  for (let at = offset + messageLength; at < end;) {
    // RFC 4861 §7.1: an option of no length makes the whole message invalid.
    const size = at + 2 > end ? 0 : 8 * view.getUint8(at + 1);
    if (size === 0 || at + size > end) return undefined;
    if (view.getUint8(at) === wanted && size === optionLength) mac = readMac(view, at + 2);
    at += size;
  }
  return { isSolicitation, target, solicited: (view.getUint32(offset + 4) & flag.solicited) !== 0, mac };
}

/** Asks who has `target`. `mac` undefined: from the unspecified address, to find duplicates (RFC 4862 §5.4.2). */
export function neighbourSolicitation(
  target: Ipv6Address,
  source: Ipv6Address,
  destination: Ipv6Address,
  mac: MacAddress | undefined,
): Uint8Array {
  const message = emptyMessage(icmpv6Type.neighbourSolicitation, target, optionType.sourceLinkLayer, mac);
  finishIcmpv6(message, source, destination);
  return message;
}

/** Says that `source` has `mac`; `solicited`: to one who asked. */
export function neighbourAdvertisement(
  source: Ipv6Address,
  destination: Ipv6Address,
  mac: MacAddress,
  solicited: boolean,
): Uint8Array {
  const message = emptyMessage(icmpv6Type.neighbourAdvertisement, source, optionType.targetLinkLayer, mac);
  new DataView(message.buffer).setUint32(4, flag.override | (solicited ? flag.solicited : 0));
  finishIcmpv6(message, source, destination);
  return message;
}

function emptyMessage(type: number, target: Ipv6Address, option: number, mac: MacAddress | undefined): Uint8Array {
  const message = new Uint8Array(messageLength + (mac === undefined ? 0 : optionLength));
  const view = new DataView(message.buffer);
  view.setUint8(0, type);
  writeIpv6(view, 8, target);
  if (mac !== undefined) {
    view.setUint8(messageLength, option);
    view.setUint8(messageLength + 1, optionLength / 8);
    writeMac(view, messageLength + 2, mac);
  }
  return message;
}
