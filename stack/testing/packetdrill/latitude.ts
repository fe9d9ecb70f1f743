/** What RFCs leave to whoever implements them: where a script is run on another machine than it was written for, these are no differences, and are told. */

import type { DssSpec, OptionSpec, PacketSpec, TcpSpec } from "./syntax.ts";
import { encodeOptions, type WireOption } from "./wire-option.ts";

export const latitudes = {
  push: "RFC 9293 §3.9.1.2: PSH has to be on the last segment of what is buffered; on others it may be",
  window: "RFC 9293 §3.8.6, RFC 7323 §2.3: how large a buffer is and how it is scaled is the receiver's affair",
  "segment-size": "RFC 9293 §3.7.1, RFC 6691: what is left free for options in the announced segment size",
  "delayed-acknowledgement": "RFC 9293 §3.8.6.3 (MUST-58): an acknowledgement may come up to 0.5 s late",
  "fourth-packet": "RFC 8684 §3.1: the third packet of MP_CAPABLE may be acknowledged with the first data",
  "octets-of-numbers": "RFC 8684 §3.3: DATA_ACK and data sequence number have 4 or 8 octets, as the sender likes",
  "address-alone": "RFC 8684 §3.4.1: ADD_ADDR and its echo need no DSS beside them",
  "address-identifier": "RFC 8684 §3.2, §3.4.1: the numbers of a host's addresses are its own",
  "reason-of-reset": "RFC 8684 §3.6: whether MP_TCPRST stands beside a RST is left open, and so is its reason (SHOULD)",
  "length-of-the-cookie": "RFC 7413 §2: a cookie has 4 to 16 octets, as who grants it likes",
  "checksum-flag":
    "RFC 8684 §3.1: one side's flag A is enough for checksums; whether the answer repeats it is left open",
} as const;
export type Latitude = keyof typeof latitudes;

/** How late an acknowledgement may be, microseconds. */
export const acknowledgementDelay = 500_000;

const pushFlag = 8;
const checksumFlag = 0x80;

/** An acknowledgement and nothing else. */
export function isPureAcknowledgement({ flags, length }: TcpSpec): boolean {
  return flags === "." && length === 0;
}

/** The answer to the third packet of MP_CAPABLE while no data have come, but for those of the SYN. */
export function isFourthPacket({ tcp }: PacketSpec): boolean {
  if (tcp === undefined || !isPureAcknowledgement(tcp) || tcp.sequence !== 1) return false;
  const [option, ...others] = tcp.options ?? [];
  return others.length === 0 && option?.kind === "dss" && isInitial(option);
}

function isInitial({ acknowledgement, sequence }: DssSpec): boolean {
  if (acknowledgement === undefined || acknowledgement.automatic || sequence !== undefined) return false;
  return acknowledgement.value === 1n && acknowledgement.base === undefined;
}

export function differInPushOnly(expected: number, actual: number): boolean {
  return (expected ^ actual) === pushFlag;
}

/** Expected options as they are when the machine used its freedom; each freedom that was needed is told to `take`. */
export function adaptOptions(
  wanted: readonly OptionSpec[],
  seen: readonly WireOption[],
  take: (latitude: Latitude) => void,
): OptionSpec[] {
  let rest = [...wanted];
  const hasDss = seen.some(({ kind }) => kind === "dss");
  if (!hasDss && seen.some(({ kind }) => kind === "add_address") && rest.some(({ kind }) => kind === "dss")) {
    take("address-alone");
    rest = rest.filter(({ kind }) => kind !== "dss");
  }
  const reset = seen.find((option) => option.kind === "mp_reset");
  const wantedReset = rest.find(({ kind }) => kind === "mp_reset");
  if ((reset === undefined) !== (wantedReset === undefined)) {
    take("reason-of-reset");
    if (reset === undefined) rest = rest.filter((option) => option !== wantedReset);
    else rest.splice(seen.indexOf(reset), 0, { kind: "mp_reset", reason: reset.reason, flags: reset.flags });
  }
  const cookieAt = rest.findIndex(({ kind }) => kind === "FO");
  const padding = paddingBehind(seen, cookieAt);
  if (cookieAt >= 0 && padding > paddingBehind(rest, cookieAt)) {
    take("length-of-the-cookie");
    rest.splice(cookieAt + 1, 0, ...Array.from({ length: padding }, (): OptionSpec => ({ kind: "nop" })));
  }
  return rest.map((option, i) => {
    const actual = seen[i];
    return actual === undefined ? option : adapt(option, actual, take);
  });
}

function paddingBehind(options: readonly { kind: string }[], at: number): number {
  let padding = 0;
  while (options[at + 1 + padding]?.kind === "nop") padding++;
  return padding;
}

/** Options of the script's side, with a cookie that the machine has made of another length than those that the script was written for. */
export function padCookie(options: WireOption[]): void {
  const at = options.findIndex(({ kind }) => kind === "FO");
  if (at < 0) return;
  while (encodeOptions(options).length % 4 !== 0) options.splice(at + 1, 0, { kind: "nop" });
}

function adapt(option: OptionSpec, actual: WireOption, take: (latitude: Latitude) => void): OptionSpec {
  if ((option.kind === "mss" || option.kind === "wscale") && actual.kind === option.kind) {
    if (option.value === actual.value) return option;
    take(option.kind === "mss" ? "segment-size" : "window");
    return { ...option, value: actual.value };
  }
  if (option.kind === "mpcapable" && actual.kind === "mpcapable") {
    if ((option.flags ^ actual.flags) !== checksumFlag || option.keys.length !== 1) return option;
    take("checksum-flag");
    return { ...option, flags: actual.flags };
  }
  if (option.kind === "mp_reset" && actual.kind === "mp_reset") {
    if (option.reason === actual.reason && option.flags === actual.flags) return option;
    take("reason-of-reset");
    return actual;
  }
  if (option.kind === "mp_join_syn" && actual.kind === "mp_join_syn") {
    if (option.addressId === undefined || option.addressId === actual.addressId) return option;
    take("address-identifier");
    return { ...option, addressId: actual.addressId };
  }
  if (option.kind !== "dss" || actual.kind !== "dss") return option;
  const { acknowledgement, sequence } = option;
  const acknowledgementOctets = actual.acknowledgement?.octets ?? acknowledgement?.octets;
  const sequenceOctets = actual.mapping?.octets ?? sequence?.octets;
  if (acknowledgementOctets === acknowledgement?.octets && sequenceOctets === sequence?.octets) return option;
  take("octets-of-numbers");
  return {
    ...option,
    acknowledgement: acknowledgement && { ...acknowledgement, octets: acknowledgementOctets! },
    sequence: sequence && { ...sequence, octets: sequenceOctets! },
  };
}
