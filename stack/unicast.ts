/** Which addresses a peer can have: TCP has two ends, so neither may be a group, nobody, or a network (RFC 9293 §3.9.1.1 MUST-46, §3.9.2.3 MUST-57, MUST-63). */

import { inPrefix, type IpAddress, ipv4FromNumber, isIpv6, isUnspecified } from "./wire/ip-address.ts";
import { isIpv4Mapped, isMulticast } from "./wire/ipv6-address.ts";

/** As far as addresses tell: `networks` are the host's own, whose directed broadcast is known. */
export function isUnicast(
  address: IpAddress,
  networks: readonly { readonly address: IpAddress; readonly prefixLength: number }[],
): boolean {
  if (isUnspecified(address)) return false;
  // ::1 has no place on a link, and a mapped address none in a packet (RFC 4291 §2.5.3; RFC 4942 §2.2).
  if (isIpv6(address)) {
    const isLoopback = address.word3 === 1 && (address.word0 | address.word1 | address.word2) === 0;
    return !isMulticast(address) && !isLoopback && !isIpv4Mapped(address);
  }
  // 0/8 "this network", 127/8 loopback, 224/4 multicast, 240/4 with the limited broadcast (RFC 6890 §2.2.2; RFC 1112 §4).
  const first = address >>> 24;
  if (first === 0 || first === 127 || first >= 224) return false;
  for (const { address: own, prefixLength } of networks) {
    if (isIpv6(own) || prefixLength >= 31) continue;
    if (inPrefix(address, own, prefixLength) && isAllOnes(address, prefixLength)) return false;
  }
  return true;
}

/** The bits behind the prefix: the directed broadcast of its network (RFC 1122 §3.2.1.3 (e)). */
function isAllOnes(address: number, prefixLength: number): boolean {
  return ipv4FromNumber(~address << prefixLength) === 0;
}
