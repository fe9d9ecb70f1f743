/** What routers and hosts say of TCP segments that did not arrive, by ICMP for IPv4 and for IPv6. */

import type { IpAddress } from "./ip-address.ts";
import type { SequenceNumber } from "./sequence.ts";

/**
 * `too-big`: the path takes segments of `segmentSize`. `hard`: nobody there speaks TCP on that port. `soft`: any other reason, which may pass
 * (RFC 5461 §2).
 */
export type IcmpErrorKind = "too-big" | "hard" | "soft";

/** An error message with what it quotes of the packet that was sent: addresses, ports and sequence number of a TCP segment. */
export interface IcmpError {
  kind: IcmpErrorKind;
  /** The MTU of the next hop less the fixed headers: payload and TCP options; with `too-big`. May be nonsense, as anything from outside. */
  segmentSize: number;
  source: IpAddress;
  destination: IpAddress;
  sourcePort: number;
  destinationPort: number;
  sequence: SequenceNumber;
}
