/** The stack's decisions as lines of the timeline: one sentence each for a person, all the inputs beside it. */
import { formatEndpoint } from "../../stack/wire/ip-address.ts";
import type { NotableEvent } from "../../stack/events.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";

/** `time`: microseconds since the run's zero. */
export function stackTimelineEvent(host: string, time: number, event: NotableEvent): TimelineEvent {
  const { name, section, time: _, ...detail } = event;
  return { time, source: "endpoint", subject: host, name, message: `${host}: ${sentence(event)}`, detail, section };
}

/** Windows are fractions of bytes while they grow. */
function bytes(count: number): string {
  return `${Math.round(count)} bytes`;
}

function milliseconds(microseconds: number): string {
  return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 1 : 0)} ms`;
}

function who(initiator: "local" | "remote"): string {
  return initiator === "local" ? "this host" : "the peer";
}

const proofs = {
  "forward-rto": "F-RTO",
  duplicates: "D-SACK",
  timestamps: "a timestamp",
} as const;

function sentence(event: NotableEvent): string {
  switch (event.name) {
    case "connection:established":
      return `connection ${event.connection} is established${event.mptcp ? " with MPTCP" : " as plain TCP"}`;
    case "connection:closed":
      return `connection ${event.connection} closed${event.error === undefined ? "" : ` with ${event.error}`}`;
    case "mptcp:fallback":
      return `connection ${event.connection} fell back to TCP: ${event.reason.replaceAll("-", " ")}`;
    case "mptcp:subflow-created":
      return `${event.initiator === "local" ? "opens" : "is asked for"} subflow ${event.subflow} ${addresses(event)}${event.backup ? ", as backup" : ""}`;
    case "mptcp:subflow-established":
      return `subflow ${event.subflow} ${addresses(event)} is established after ${milliseconds(event.handshakeMicroseconds)}${event.backup ? ", as backup" : ""}`;
    case "mptcp:subflow-closed":
      return `subflow ${event.subflow} closed (${event.reason.replaceAll("-", " ")})${event.unacknowledgedBytes > 0 ? ` with ${bytes(event.unacknowledgedBytes)} unacknowledged` : ""}`;
    case "mptcp:reset-received":
      return `the peer reset subflow ${event.subflow} with reason ${event.reasonCode}${event.transient ? ", for now" : ""}`;
    case "mptcp:reset-sent":
      return `this host resets subflow ${event.subflow} with reason ${event.reasonCode}`;
    case "mptcp:checksum-failed":
      return `${bytes(event.bytes)} at ${event.dataOffset} came on subflow ${event.subflow} with a wrong checksum`;
    case "mptcp:fail":
      return `${who(event.initiator)} tells of a wrong checksum on subflow ${event.subflow}`;
    case "mptcp:priority":
      return `${who(event.initiator)} makes subflow ${event.subflow} ${event.backup ? "a backup" : "regular"}`;
    case "mptcp:fast-close":
      return `${who(event.initiator)} aborts connection ${event.connection}`;
    case "mptcp:data-fin":
      return `${who(event.initiator)} ends its data after ${bytes(event.dataOffset)}`;
    case "mptcp:data-timeout":
      return `${bytes(event.unacknowledgedBytes)} of connection ${event.connection} were not acknowledged within ${milliseconds(event.timeoutMicroseconds)}`;
    case "scheduler:reinject":
      return `${bytes(event.bytes)} sent on ${event.fromSubflow < 0 ? "a subflow that is gone" : `subflow ${event.fromSubflow}`} were sent again on subflow ${event.subflow}`;
    case "scheduler:opportunistic-retransmit":
      return `${bytes(event.bytes)} that subflow ${event.fromSubflow} would have brought late were sent on subflow ${event.subflow} too`;
    case "scheduler:penalise":
      return `subflow ${event.subflow} (RTT ${milliseconds(event.smoothedRttMicroseconds)}) held up the window: its congestion window is now ${bytes(event.congestionWindow)}`;
    case "scheduler:stale":
      return `subflow ${event.subflow} is stale after ${event.consecutiveTimeouts} timeouts with ${bytes(event.unacknowledgedBytes)} unacknowledged`;
    case "scheduler:recovered":
      return `subflow ${event.subflow} answers again after ${milliseconds(event.silentMicroseconds)}`;
    case "recovery:fast-retransmit":
      return `subflow ${event.subflow} takes ${bytes(event.lostBytes)} for lost: congestion window ${bytes(event.congestionWindow)}`;
    case "recovery:rto":
      return `subflow ${event.subflow} had no answer for ${milliseconds(event.timeoutMicroseconds)} with ${bytes(event.bytesInFlight)} in flight`;
    case "recovery:tail-loss-probe":
      return `subflow ${event.subflow} probes its tail with ${bytes(event.bytesInFlight)} in flight`;
    case "recovery:spurious":
      return `subflow ${event.subflow} took for lost what was only late (shown by ${proofs[event.proof]}): congestion window ${bytes(event.congestionWindow)}${event.undone ? " again" : ""}`;
    case "tcp:mtu-changed":
      return `subflow ${event.subflow} sends segments of ${event.segmentSize} bytes, not ${event.formerSegmentSize}: ${event.trigger === "icmp" ? "a router says so" : "larger ones do not arrive"}`;
    case "tcp:soft-error":
      return `a router says that the peer of subflow ${event.subflow} (${event.state}) cannot be reached now`;
    case "congestion:window-capped":
      return `subflow ${event.subflow} fills a buffer (RTT ${milliseconds(event.rttMicroseconds)} over ${milliseconds(event.baseRttMicroseconds)}): its congestion window is now ${bytes(event.congestionWindow)}`;
    case "path-manager:address-advertised":
      return `${who(event.initiator)} advertises ${event.address} as address ${event.addressId}`;
    case "path-manager:address-removed":
      return `${who(event.initiator)} withdraws address ${event.addressId}`;
    case "path-manager:subflow-retry":
      return `will try ${event.localAddress} to ${event.remoteAddress} again in ${milliseconds(event.delayMicroseconds)}`;
  }
}

function addresses(event: Extract<NotableEvent, { interfaceName: string }>): string {
  return `from ${formatEndpoint(event.localAddress, event.localPort)} (${event.interfaceName}) to ${formatEndpoint(event.remoteAddress, event.remotePort)}`;
}
