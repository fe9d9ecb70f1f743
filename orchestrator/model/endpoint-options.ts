/** Keys of a host that choose among what its endpoint leaves open beyond algorithms and buffers; each with the endpoints that have it. */
import * as z from "zod";
import { type TraceCategory, traceCategories } from "../../stack/events.ts";
import type { EndpointKind } from "./experiment.ts";
import { duration, size, whole } from "./quantity-schemas.ts";

/** What a file says; what it leaves out is the endpoint's own default. */
export interface EndpointOptions {
  readonly autotune?: boolean;
  /** TCP_NOTSENT_LOWAT. */
  readonly notSentLowatBytes?: number;
  readonly pacing?: boolean;
  readonly synCookies?: "never" | "when-full" | "always";
  readonly opportunisticRetransmission?: boolean;
  readonly penalisation?: boolean;
  readonly windowCapping?: boolean;
  readonly reinjection?: boolean;
  readonly dssChecksum?: boolean;
  readonly allowJoinInitialAddress?: boolean;
  readonly maximumAddressesAccepted?: number;
  readonly closeTimeoutMicroseconds?: number;
  readonly fastClose?: "reset" | "acknowledgement";
  readonly trace?: readonly TraceCategory[];
}

export const endpointOptionSchemas = {
  autotune: z.exactOptional(
    z.boolean().describe("The receive window begins small and grows with what the application reads."),
  ),
  notSentLowat: z.exactOptional(
    size("Bytes of the send buffer that may wait to be sent for the first time (TCP_NOTSENT_LOWAT)."),
  ),
  pacing: z.exactOptional(z.boolean().describe("Data are spread over the round trip instead of sent in bursts.")),
  synCookies: z.exactOptional(
    z.enum(["never", "when-full", "always"]).describe("When a listener answers SYNs without remembering them."),
  ),
  opportunisticRetransmission: z.exactOptional(
    z
      .boolean()
      .describe("A subflow that may send nothing new sends again what a slower one holds (mechanism 1 of NSDI'12)."),
  ),
  penalisation: z.exactOptional(
    z.boolean().describe("The window of a subflow that holds up the others is halved (mechanism 2 of NSDI'12)."),
  ),
  windowCapping: z.exactOptional(
    z
      .boolean()
      .describe("A subflow stops filling a deep buffer once its round-trip time has doubled (mechanism 4 of NSDI'12)."),
  ),
  reinjection: z.exactOptional(
    z.boolean().describe("What a silent subflow holds is sent again on the others (RFC 8684 §3.3.6)."),
  ),
  dssChecksum: z.exactOptional(z.boolean().describe("Ask for checksums of mappings (RFC 8684 §3.3).")),
  allowJoinInitialAddress: z.exactOptional(
    z
      .boolean()
      .describe("False: further subflows do not come to the address of the first one (RFC 8684 §3.1, flag C)."),
  ),
  maximumAddressesAccepted: z.exactOptional(whole("Addresses that a peer may add to its first one.", 0, 255)),
  closeTimeout: z.exactOptional(duration("How long a connection outlives its last subflow, waiting for another.")),
  fastClose: z.exactOptional(
    z
      .enum(["reset", "acknowledgement"])
      .describe("How a connection is given up: by RST on every subflow, or on an acknowledgement (RFC 8684 §3.5)."),
  ),
  trace: z.exactOptional(
    z
      .array(z.enum(traceCategories))
      .min(1)
      .describe("Whose decisions are told one by one, with their inputs, in the bundle's qlog/<host>.sqlog."),
  ),
};

type OptionKey = keyof typeof endpointOptionSchemas;

/** What a file says under the key; units are in the names. */
export function optionOf(options: EndpointOptions, key: OptionKey): EndpointOptions[keyof EndpointOptions] {
  if (key === "closeTimeout") return options.closeTimeoutMicroseconds;
  return key === "notSentLowat" ? options.notSentLowatBytes : options[key];
}

interface Availability {
  readonly on: readonly EndpointKind[];
  /** For who asks it of another endpoint: what to do instead. */
  readonly instead: string;
}

const everywhere: readonly EndpointKind[] = ["pathlab", "pathlab-tcp", "linux-mptcp", "linux-tcp"];
const ours: readonly EndpointKind[] = ["pathlab", "pathlab-tcp"];
const leaveOut = "leave it out, or let the host speak pathlab";

const availability: Readonly<Record<OptionKey, Availability>> = {
  autotune: { on: everywhere, instead: leaveOut },
  notSentLowat: { on: everywhere, instead: leaveOut },
  pacing: { on: ours, instead: "the kernel paces by its congestion control alone; leave it out" },
  synCookies: { on: everywhere, instead: leaveOut },
  opportunisticRetransmission: { on: ["pathlab"], instead: leaveOut },
  penalisation: { on: ["pathlab"], instead: leaveOut },
  windowCapping: { on: ["pathlab"], instead: leaveOut },
  reinjection: { on: ["pathlab"], instead: leaveOut },
  dssChecksum: { on: ["pathlab", "linux-mptcp"], instead: "plain TCP has no mappings; leave it out" },
  allowJoinInitialAddress: { on: ["pathlab", "linux-mptcp"], instead: "plain TCP has one path; leave it out" },
  maximumAddressesAccepted: { on: ["pathlab", "linux-mptcp"], instead: "plain TCP has one path; leave it out" },
  closeTimeout: { on: ["pathlab"], instead: "the kernel keeps a connection for 60s; leave it out" },
  fastClose: { on: ["pathlab"], instead: "the kernel's is always reset; leave it out" },
  trace: { on: ours, instead: "the kernel does not tell its decisions; leave it out" },
};

export const endpointOptionKeys = Object.keys(availability) as readonly OptionKey[];

/** Undefined where an endpoint of this kind has the key. */
export function optionRefusal(
  kind: EndpointKind,
  key: OptionKey,
): { readonly on: readonly EndpointKind[]; readonly instead: string } | undefined {
  return availability[key].on.includes(kind) ? undefined : availability[key];
}

/** The most that the kernel takes (MPTCP_PM_ADDR_MAX). */
export const kernelAddressLimit = 8;

/** The kernel's own words for those options that it has, as of `sysctl`. */
export function kernelOptionSysctls(options: EndpointOptions): Record<string, string> {
  const { autotune, notSentLowatBytes, synCookies, dssChecksum, allowJoinInitialAddress } = options;
  return {
    ...(autotune !== undefined && { "net.ipv4.tcp_moderate_rcvbuf": binary(autotune) }),
    ...(notSentLowatBytes !== undefined && { "net.ipv4.tcp_notsent_lowat": String(notSentLowatBytes) }),
    ...(synCookies !== undefined && {
      "net.ipv4.tcp_syncookies": { never: "0", "when-full": "1", always: "2" }[synCookies],
    }),
    ...(dssChecksum !== undefined && { "net.mptcp.checksum_enabled": binary(dssChecksum) }),
    ...(allowJoinInitialAddress !== undefined && {
      "net.mptcp.allow_join_initial_addr_port": binary(allowJoinInitialAddress),
    }),
  };
}

const binary = (on: boolean): string => (on ? "1" : "0");
