/** Packets in the script's notation, as they stand in reports of a difference. */

import type { Flow } from "./flow.ts";
import { dataNumberToScript, type KeyTable } from "./session.ts";
import type { WireDss, WireOption } from "./wire-option.ts";
import { lettersFromFlags, type WireSegment } from "./wire-segment.ts";

/** A packet of the host, relative to the flow's beginning. */
export function formatOutbound(segment: WireSegment, flow: Flow, keys: KeyTable): string {
  const start = flow.toScript(segment.sequence);
  const end = (start + segment.payload.length) >>> 0;
  const options = segment.options.map((option) => formatOption(option, flow, keys));
  return [
    ">",
    lettersFromFlags(segment.flags),
    `${start}:${end}(${segment.payload.length})`,
    (segment.flags & 16) !== 0 ? `ack ${segment.acknowledgement}` : "",
    `win ${segment.window}`,
    segment.urgentPointer === 0 ? "" : `urg ${segment.urgentPointer}`,
    options.length > 0 ? `<${options.join(", ")}>` : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

export function formatOption(option: WireOption, flow: Flow, keys: KeyTable): string {
  const key = (value: bigint): string => keys.nameOf(value) ?? `0x${value.toString(16)}`;
  switch (option.kind) {
    case "nop":
    case "eol":
    case "sackOK":
      return option.kind;
    case "mss":
    case "wscale":
      return `${option.kind} ${option.value}`;
    case "TS":
      return `TS val ${flow.timestampToScript(option.value)} ecr ${option.echo}`;
    case "FO":
    case "FOEXP":
      return option.cookie === "" ? option.kind : `${option.kind} ${option.cookie}`;
    case "UTO":
      return `UTO ${option.value} ${option.minutes ? "min" : "s"}`;
    case "sack":
      return `sack ${option.blocks.map(([left, right]) => `${left}:${right}`).join(" ")}`;
    case "mpcapable": {
      const carried = option.keys.length === 0 ? "nokey" : `key[${option.keys.map(key).join(", ")}]`;
      const data =
        option.dataLength === undefined ? "" : ` mpcdatalen ${option.dataLength}${mark("cksum", option.checksum)}`;
      return `mpcapable v${option.version} flags[${capableFlags(option.flags)}] ${carried}${data}`;
    }
    case "mp_join_syn":
      return `mp_join_syn${mark("backup", option.backup ? 1 : undefined)} address_id=${option.addressId} token=0x${option.token.toString(16)} rand=${option.nonce}`;
    case "mp_join_syn_ack":
      return `mp_join_syn_ack${mark("backup", option.backup ? 1 : undefined)} address_id=${option.addressId} sender_hmac=0x${option.hmac.toString(16)} rand=${option.nonce}`;
    case "mp_join_ack":
      return `mp_join_ack sender_hmac=0x${option.hmac.toString(16)}`;
    case "dss":
      return formatDss(option, flow);
    case "add_address": {
      const end = option.echo ? " addr_echo" : "";
      const hmac = option.hmac === undefined ? "" : ` hmac=0x${option.hmac.toString(16)}`;
      return `add_address address_id=${option.addressId} addr[ep=inet_addr("${option.address}")]${mark("port", option.port)}${end}${hmac}`;
    }
    case "remove_address":
      return `remove_address address_id=[${option.addressIds.join(",")}]`;
    case "mp_prio":
      return `mp_prio backup=${option.backup ? 1 : 0}${mark("address_id", option.addressId)}`;
    case "mp_fail":
      return `mp_fail dsn8=${dataNumberToScript(option.sequence, 8, flow.session?.remoteKey)}`;
    case "mp_fastclose":
      return `mp_fastclose key[${key(option.key)}]`;
    case "mp_reset":
      return `mp_reset ${option.reason}${option.flags === 0 ? "" : ` flags[${option.flags === 1 ? "flag_t" : option.flags}]`}`;
    case "unknown":
      return `unknown option ${Buffer.from(option.bytes).toString("hex")}`;
  }
}

/** ` name=value`, or nothing for what is not there. */
function mark(name: string, value: number | undefined): string {
  return value === undefined ? "" : ` ${name}=${value}`;
}

function capableFlags(flags: number): string {
  const letters = ["a", "b", "c", "d", "e", "f", "g", "h"].filter((_, i) => (flags & (0x80 >> i)) !== 0);
  return letters.length === 0 ? "no_flags" : letters.map((letter) => `flag_${letter}`).join(", ");
}

function formatDss({ acknowledgement, mapping, fin }: WireDss, flow: Flow): string {
  const { session } = flow;
  let text = "dss";
  if (acknowledgement !== undefined) {
    const { octets, value } = acknowledgement;
    text += ` dack${octets}=${dataNumberToScript(value, octets, session?.remoteKey)}`;
  }
  if (mapping !== undefined) {
    const { octets, sequence, subflowSequence, length, checksum } = mapping;
    text += ` dsn${octets}=${dataNumberToScript(sequence, octets, session?.hostKey)} ssn=${subflowSequence} dll=${length}`;
    text += checksum === undefined ? " nocs" : ` cksum=0x${checksum.toString(16)}`;
  } else text += " nocs";
  return fin ? `${text} fin` : text;
}
