/** Options in the script's notation to those on the wire. For what the host sent, `seen` fills in whatever the script leaves open. */

import { streamByte } from "../pair.ts";
import type { AddressTable } from "./address-table.ts";
import { addressAuthenticator, joinAuthenticator, tokenOf } from "./authentication.ts";
import type { Flow } from "./flow.ts";
import { type Position, ScriptFailure, ScriptUnsupported } from "./script-error.ts";
import { type CookieTable, dataNumberToWire, type KeyTable, type Session } from "./session.ts";
import type {
  AddAddressSpec,
  AuthenticatorSpec,
  CapableSpec,
  ChecksumSpec,
  DataNumber,
  DssSpec,
  JoinAckSpec,
  JoinSynAckSpec,
  JoinSynSpec,
  OptionSpec,
  TcpSpec,
} from "./syntax.ts";
import type { WireOption } from "./wire-option.ts";
import { mappingChecksum } from "./wire-segment.ts";

export interface TranslationContext {
  direction: "inbound" | "outbound";
  flow: Flow;
  keys: KeyTable;
  cookies: CookieTable;
  addresses: AddressTable;
  tcp: TcpSpec;
  /** When the packet passes, microseconds. */
  time: number;
  /** Microseconds of one tick of the host's timestamp clock; undefined: its values are not compared. */
  timestampTick: number | undefined;
}

type Seen<K extends WireOption["kind"]> = Extract<WireOption, { kind: K }> | undefined;

/** `seen`: the option that the host sent at this place. */
export function toWireOption(
  option: OptionSpec,
  context: TranslationContext,
  seen: WireOption | undefined,
): WireOption {
  const { flow, direction } = context;
  switch (option.kind) {
    case "nop":
    case "eol":
    case "sackOK":
    case "mss":
    case "wscale":
      return option;
    case "TS":
      return timestamps(option, context, seenAs(seen, "TS"));
    case "sack":
      // The script's blocks are of what the host has sent; the host's are of the script's bytes, which need no translation.
      if (direction === "outbound") return option;
      return { kind: "sack", blocks: option.blocks.map(([left, right]) => [flow.toWire(left), flow.toWire(right)]) };
    case "UTO":
      return option;
    case "FO":
    case "FOEXP":
      return { kind: option.kind, cookie: fastOpenCookie(option, context, seen) };
    case "md5":
      throw new ScriptUnsupported(option.position, `the option ${option.kind}`);
    case "undefined":
      throw new ScriptUnsupported(option.position, `the option ${option.text}`);
    case "mpcapable":
      return capable(option, context, seenAs(seen, "mpcapable"));
    case "mp_join_syn":
      return joinSyn(option, context, seenAs(seen, "mp_join_syn"));
    case "mp_join_syn_ack":
      return joinSynAck(option, context, seenAs(seen, "mp_join_syn_ack"));
    case "mp_join_ack":
      return { kind: "mp_join_ack", hmac: joinHmac(option, context, 20) };
    case "dss":
      return dss(option, context, seenAs(seen, "dss"));
    case "add_address":
      return addAddress(option, context, seenAs(seen, "add_address"));
    case "remove_address":
      return option;
    case "mp_prio":
      return { kind: "mp_prio", backup: option.backup, addressId: option.addressId };
    case "mp_fail":
      // It names a place in the stream of the other side.
      return {
        kind: "mp_fail",
        sequence:
          option.sequence === undefined
            ? (seenAs(seen, "mp_fail")?.sequence ?? 0n)
            : numberToWire(option.sequence, context, receiverSide(context), option.position),
      };
    case "mp_fastclose": {
      const key =
        option.key === undefined
          ? sessionOf(context, option.position).key(receiverSide(context), option.position)
          : context.keys.require(option.key);
      return { kind: "mp_fastclose", key: BigInt.asUintN(64, key + option.step) };
    }
    case "mp_reset":
      return { kind: "mp_reset", reason: option.reason, flags: option.flags };
  }
}

function seenAs<K extends WireOption["kind"]>(seen: WireOption | undefined, kind: K): Seen<K> {
  return seen?.kind === kind ? (seen as Seen<K>) : undefined;
}

function senderSide({ direction }: TranslationContext): "host" | "remote" {
  return direction === "inbound" ? "remote" : "host";
}

function receiverSide({ direction }: TranslationContext): "host" | "remote" {
  return direction === "inbound" ? "host" : "remote";
}

function sessionOf({ flow }: TranslationContext, position: Position): Session {
  if (flow.session === undefined)
    throw new ScriptFailure(position, "no MPTCP handshake has been seen on this connection");
  return flow.session;
}

/** A name that has no cookie yet is that of the one that the host sends here. */
function fastOpenCookie(
  { kind, cookie, position }: { kind: string; cookie: string; position: Position },
  { cookies }: TranslationContext,
  seen: WireOption | undefined,
): string {
  const known = cookies.get(cookie);
  if (known !== undefined) return known;
  if ((seen?.kind !== "FO" && seen?.kind !== "FOEXP") || seen.kind !== kind || seen.cookie === "")
    throw new ScriptFailure(position, `the cookie "${cookie}" has not been granted yet`);
  cookies.learn(cookie, seen.cookie);
  return seen.cookie;
}

function timestamps(
  option: Extract<OptionSpec, { kind: "TS" }>,
  context: TranslationContext,
  seen: Seen<"TS">,
): WireOption {
  const { flow, direction } = context;
  if (direction === "inbound") return { kind: "TS", value: option.value, echo: flow.timestampToWire(option.echo) };
  if (seen === undefined) return option;
  const { timestampTick } = context;
  const clock = timestampTick === undefined ? undefined : flow.expectedTimestamp(context.time, timestampTick);
  // One tick of rounding; a number that is farther from the clock than that is shown as it stands.
  if (clock !== undefined && Math.abs(clock - option.value) > 1) {
    return { kind: "TS", value: flow.timestampToWire(option.value), echo: option.echo };
  }
  flow.learnTimestamp(option.value, seen.value, context.time);
  return { kind: "TS", value: seen.value, echo: option.echo };
}

function capable(option: CapableSpec, context: TranslationContext, seen: Seen<"mpcapable">): WireOption {
  const { keys: table, flow } = context;
  const keys = option.keys.map((reference, i) => {
    const known = table.get(reference);
    const learnt = seen?.keys[i];
    if (known !== undefined || learnt === undefined) return table.require(reference);
    table.learn(reference, learnt);
    return learnt;
  });
  const session = sessionOf(context, option.position);
  const [senderKey, receiverKey] = keys;
  const sender = senderSide(context) === "host" ? "hostKey" : "remoteKey";
  const receiver = sender === "hostKey" ? "remoteKey" : "hostKey";
  if (senderKey !== undefined) session[sender] ??= senderKey;
  if (receiverKey !== undefined) session[receiver] ??= receiverKey;
  const { dataLength } = option;
  if (dataLength !== undefined)
    flow.learnMapping(context.direction, { subflowOffset: 0, dataOffset: 0, length: dataLength });
  const checksum =
    dataLength === undefined
      ? undefined
      : resolveChecksum(option.checksum, () =>
          mappingChecksum(
            dataNumberToWire(octets8(1n), session.key(senderSide(context), option.position)),
            1,
            dataLength,
            mappedBytes(flow.synData[context.direction], dataLength),
          ),
        );
  return { kind: "mpcapable", version: option.version, flags: option.flags, keys, dataLength, checksum };
}

function octets8(value: bigint): DataNumber {
  return { octets: 8, value, base: undefined };
}

function joinSyn(option: JoinSynSpec, context: TranslationContext, seen: Seen<"mp_join_syn">): WireOption {
  const { flow } = context;
  const nonce = option.nonce ?? seen?.nonce ?? flow.remoteNonce;
  noteNonce(context, nonce);
  return {
    kind: "mp_join_syn",
    backup: option.backup,
    addressId: option.addressId ?? seen?.addressId ?? 1,
    token: Number(
      authenticator(option.token, context, "sha256_32", (keys) =>
        BigInt(tokenOf(keys[0] ?? sessionOf(context, option.position).key(receiverSide(context), option.position))),
      ),
    ),
    nonce,
  };
}

function joinSynAck(option: JoinSynAckSpec, context: TranslationContext, seen: Seen<"mp_join_syn_ack">): WireOption {
  const nonce = option.nonce ?? seen?.nonce ?? context.flow.remoteNonce;
  noteNonce(context, nonce);
  return {
    kind: "mp_join_syn_ack",
    backup: option.backup,
    addressId: option.addressId ?? seen?.addressId ?? 1,
    hmac: joinHmac(option, context, 8),
    nonce,
  };
}

function noteNonce({ direction, flow }: TranslationContext, nonce: number): void {
  if (direction === "inbound") flow.remoteNonce = nonce;
  else flow.localNonce = nonce;
}

/** The leftmost `octets` of the HMAC (RFC 8684 §3.2). */
function joinHmac(option: JoinSynAckSpec | JoinAckSpec, context: TranslationContext, octets: 8 | 20): bigint {
  const name = octets === 8 ? "trunc_l64_hmac" : "full_160_hmac";
  return authenticator(option.hmac, context, name, ([sender, receiver]) => {
    const { flow } = context;
    const session = sessionOf(context, option.position);
    const inbound = context.direction === "inbound";
    const digest = joinAuthenticator(
      sender ?? session.key(senderSide(context), option.position),
      receiver ?? session.key(receiverSide(context), option.position),
      inbound ? flow.remoteNonce : flow.localNonce,
      inbound ? flow.localNonce : flow.remoteNonce,
    );
    return BigInt(`0x${digest.subarray(0, octets).toString("hex")}`);
  });
}

function authenticator(
  spec: AuthenticatorSpec,
  { keys }: TranslationContext,
  name: string,
  compute: (keys: (bigint | undefined)[]) => bigint,
): bigint {
  if (spec.kind === "literal") return spec.value;
  if (spec.kind === "auto") return compute([]);
  if (spec.name !== name) throw new ScriptUnsupported(spec.position, `${spec.name} here, where RFC 8684 has ${name}`);
  return compute(spec.keys.map((key) => keys.require(key)));
}

function dss(option: DssSpec, context: TranslationContext, seen: Seen<"dss">): WireOption {
  const { acknowledgement, sequence } = option;
  return {
    kind: "dss",
    acknowledgement: acknowledgement && {
      octets: acknowledgement.octets,
      value: numberToWire(acknowledgement, context, receiverSide(context), option.position),
    },
    mapping: sequence && dssMapping(option, sequence, context, seen),
    fin: option.fin,
  };
}

function dssMapping(
  option: DssSpec,
  sequence: DataNumber,
  context: TranslationContext,
  seen: Seen<"dss">,
): Extract<WireOption, { kind: "dss" }>["mapping"] {
  const { flow, tcp, direction } = context;
  const initial = direction === "inbound" ? flow.remoteInitial : flow.localInitial;
  const length = option.length ?? tcp.length + (option.fin ? 1 : 0);
  const dataLength = length === 0 ? Number.POSITIVE_INFINITY : length - (option.fin ? 1 : 0);
  const subflowSequence =
    option.subflowSequence ?? (tcp.length === 0 ? 0 : (tcp.sequence - initial - flow.synData[direction]) >>> 0);
  const dataOffset = Number(sequence.value) - 1;
  if (dataLength > 0 && sequence.base === undefined) {
    flow.learnMapping(direction, { subflowOffset: subflowSequence - 1, dataOffset, length: dataLength });
  }
  const checksum = resolveChecksum(option.checksum, () => {
    const whole = numberToWire({ ...sequence, octets: 8 }, context, senderSide(context), option.position);
    const bytes = mappedBytes(flow.synData[direction] + dataOffset, length === 0 ? 0 : dataLength);
    return mappingChecksum(whole, subflowSequence, length, bytes);
  });
  return {
    octets: sequence.octets,
    sequence: numberToWire(sequence, context, senderSide(context), option.position),
    subflowSequence:
      option.subflowSequence === undefined ? (seen?.mapping?.subflowSequence ?? subflowSequence) : subflowSequence,
    length,
    checksum,
  };
}

function resolveChecksum(spec: ChecksumSpec, compute: () => number): number | undefined {
  if (spec === "none") return undefined;
  return spec === "auto" ? compute() : spec;
}

/** Bytes of the test stream; those before its beginning, which a script may map by mistake on purpose, are 0. */
export function mappedBytes(dataOffset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (dataOffset + i < 0 ? 0 : streamByte(dataOffset + i)));
}

function numberToWire(
  number: DataNumber,
  context: TranslationContext,
  side: "host" | "remote",
  position: Position,
): bigint {
  if (number.automatic)
    throw new ScriptUnsupported(position, "a data acknowledgement or sequence number that is not written");
  if (number.version === 0) throw new ScriptUnsupported(position, "initial data sequence numbers of version 0 (SHA-1)");
  const key =
    number.base === undefined ? sessionOf(context, position).key(side, position) : context.keys.require(number.base);
  return dataNumberToWire(number, key);
}

function addAddress(option: AddAddressSpec, context: TranslationContext, seen: Seen<"add_address">): WireOption {
  const { addresses } = context;
  let address = addresses.get(option.address);
  if (address === undefined) {
    address = seen?.address ?? addresses.allocateRemote();
    addresses.learn(option.address, address);
  }
  const addressId = option.addressId ?? seen?.addressId ?? 1;
  const { port, echo } = option;
  const { position } = option;
  const hmac =
    option.hmac === undefined
      ? undefined
      : authenticator(option.hmac, context, "trunc_r64_hmac", ([sender, receiver]) => {
          const session = sessionOf(context, position);
          return addressAuthenticator(
            sender ?? session.key(senderSide(context), position),
            receiver ?? session.key(receiverSide(context), position),
            addressId,
            address,
            port ?? 0,
          );
        });
  return { kind: "add_address", echo, addressId, address, port, hmac };
}
