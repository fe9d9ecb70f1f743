/** The header that tells a server behind a proxy who its client is: PROXY protocol, version 2 (HAProxy, "The PROXY protocol", §2.2). */
import { isIpv6 } from "../../wire/ip-address.ts";
import { writeIpv6 } from "../../wire/ipv6-address.ts";
import type { TransportAddress } from "./convert-message.ts";

const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** Version 2, command PROXY. */
const versionAndCommand = 0x21;
/** Family in the upper four bits, STREAM in the lower. */
const tcpOverIpv4 = 0x11;
const tcpOverIpv6 = 0x21;

/** The header that precedes the client's stream. When one of the two speaks IPv6, the other is told mapped into it (RFC 4291 §2.5.5.2). */
export function proxyProtocolHeader(client: TransportAddress, server: TransportAddress): Uint8Array {
  const isSix = isIpv6(client.address) || isIpv6(server.address);
  const addressBytes = isSix ? 16 : 4;
  const header = new Uint8Array(signature.length + 4 + 2 * addressBytes + 4);
  const view = new DataView(header.buffer);
  header.set(signature);
  let at = signature.length;
  header[at++] = versionAndCommand;
  header[at++] = isSix ? tcpOverIpv6 : tcpOverIpv4;
  view.setUint16(at, 2 * addressBytes + 4);
  at += 2;
  for (const { address } of [client, server]) {
    if (isIpv6(address)) writeIpv6(view, at, address);
    else {
      if (isSix) view.setUint16(at + 10, 0xffff);
      view.setUint32(at + addressBytes - 4, address);
    }
    at += addressBytes;
  }
  view.setUint16(at, client.port);
  view.setUint16(at + 2, server.port);
  return header;
}
