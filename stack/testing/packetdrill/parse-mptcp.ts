/** The options of Multipath TCP as the fork of packetdrill writes them. */

import { parseAddressRef } from "./parse-address.ts";
import { ScriptSyntaxError } from "./script-error.ts";
import type {
  AddAddressSpec,
  AuthenticatorSpec,
  CapableSpec,
  ChecksumSpec,
  DataNumber,
  DssSpec,
  FailSpec,
  FastCloseSpec,
  JoinSynAckSpec,
  JoinSynSpec,
  KeyRef,
  MptcpSpec,
  PrioritySpec,
  RemoveAddressSpec,
  ResetSpec,
} from "./syntax.ts";
import type { TokenStream } from "./token-stream.ts";

const maximum32 = 0xffff_ffff;

/** MP_CAPABLE: flag_a … flag_h are bits 7 … 0 (RFC 8684 §3.1); MP_TCPRST: flag_t is bit 0 (§3.6). */
const flagBits: Readonly<Record<string, number>> = {
  flag_a: 0x80,
  flag_b: 0x40,
  flag_c: 0x20,
  flag_d: 0x10,
  flag_e: 8,
  flag_f: 4,
  flag_g: 2,
  flag_h: 1,
  flag_t: 1,
  no_flags: 0,
};

const checksumFlag = 0x80;
/** HMAC-SHA256 in version 1 (RFC 8684 §3.1), HMAC-SHA1 in version 0 (RFC 6824 §3.1). */
const cryptographyFlag = 1;

export function parseMptcpOption(stream: TokenStream): MptcpSpec {
  switch (stream.peek().text) {
    case "mpcapable":
      return parseCapable(stream);
    case "mp_capable":
    case "mp_capable_no_cs":
      return parseCapableOfVersion0(stream);
    case "mp_join_syn":
    case "mp_join_syn_ack":
      return parseJoinSyn(stream);
    case "mp_join_ack": {
      const { position } = stream.next();
      stream.expect("sender_hmac");
      stream.expect("=");
      return { kind: "mp_join_ack", hmac: parseAuthenticator(stream), position };
    }
    case "dss":
      return parseDss(stream);
    case "add_address":
      return parseAddAddress(stream);
    case "remove_address":
      return parseRemoveAddress(stream);
    case "mp_prio":
      return parsePriority(stream);
    case "mp_fail":
      return parseFail(stream);
    case "mp_fastclose":
      return parseFastClose(stream);
    case "mp_reset":
      return parseReset(stream);
    default:
      return stream.fail("a TCP option");
  }
}

/** `flags[flag_a, flag_h]`, and for MP_CAPABLE the octet itself: `flags 0x81`. */
function parseFlagList(stream: TokenStream): number {
  stream.expect("flags");
  if (stream.atKind("integer")) return stream.expectNumber("flags", 0xff);
  stream.expect("[");
  let flags = 0;
  while (!stream.accept("]")) {
    const token = stream.next();
    const bit = Object.hasOwn(flagBits, token.text) ? flagBits[token.text]! : undefined;
    if (bit === undefined)
      throw new ScriptSyntaxError(token.position, Object.keys(flagBits).join(", "), `"${token.text}"`);
    flags |= bit;
    stream.accept(",");
  }
  return flags;
}

function parseKeys(stream: TokenStream): KeyRef[] {
  stream.expect("[");
  const keys: KeyRef[] = [];
  while (!stream.accept("]")) {
    if (keys.length > 0) stream.accept(",");
    keys.push(parseKey(stream));
  }
  return keys;
}

function parseKey(stream: TokenStream): KeyRef {
  const token = stream.expectKind("word", "the name of a key");
  const value = stream.accept("=") ? stream.expectInteger("the value of the key") : undefined;
  return { name: token.text, value, position: token.position };
}

function parseCapable(stream: TokenStream): CapableSpec {
  const { position } = stream.next();
  const versionToken = stream.expectKind("word", "v0, v1 or none");
  if (!/^(?:v\d|none)$/.test(versionToken.text))
    throw new ScriptSyntaxError(versionToken.position, "v0, v1 or none", `"${versionToken.text}"`);
  const version = versionToken.text === "none" ? 1 : Number(versionToken.text.slice(1));
  const flags = parseFlagList(stream);
  let keys: KeyRef[] = [];
  if (!stream.accept("nokey")) {
    stream.expect("key");
    keys = parseKeys(stream);
  }
  let dataLength: number | undefined;
  let checksum: ChecksumSpec = "none";
  if (stream.accept("mpcdatalen")) {
    dataLength = stream.expectNumber("the length of the data", 0xffff);
    checksum = parseChecksum(stream);
  }
  return { kind: "mpcapable", version, flags, keys, dataLength, checksum, position };
}

/** As scripts of RFC 6824 write it: `mp_capable a=5 b flag_a flag_h`; checksums are asked for where no flag is named. */
function parseCapableOfVersion0(stream: TokenStream): CapableSpec {
  const { text, position } = stream.next();
  const keys = [parseKey(stream)];
  let flags: number | undefined;
  while (stream.atKind("word")) {
    const name = stream.peek().text;
    if (!Object.hasOwn(flagBits, name)) keys.push(parseKey(stream));
    else flags = (flags ?? 0) | flagBits[stream.next().text]!;
  }
  flags ??= cryptographyFlag | (text === "mp_capable" ? checksumFlag : 0);
  return { kind: "mpcapable", version: 0, flags, keys, dataLength: undefined, checksum: "none", position };
}

/** `nocs`, `cksum=0x1234`, `cksum=auto`, `cksum`. */
function parseChecksum(stream: TokenStream): ChecksumSpec {
  if (stream.accept("nocs")) return "none";
  if (!stream.accept("cksum") && !stream.accept("checksum")) return "none";
  if (!stream.accept("=") || stream.accept("auto")) return "auto";
  return stream.expectNumber("a checksum", 0xffff);
}

function parseJoinSyn(stream: TokenStream): JoinSynSpec | JoinSynAckSpec {
  const { text: kind, position } = stream.next();
  let backup = false;
  let addressId: number | undefined;
  let nonce: number | undefined;
  let authenticator: AuthenticatorSpec = { kind: "auto" };
  for (;;) {
    if (stream.accept("backup")) backup = parseBit(stream);
    else if (stream.accept("address_id")) addressId = parseAddressId(stream);
    else if (stream.at("token") || stream.at("sender_hmac")) {
      stream.next();
      stream.expect("=");
      authenticator = parseAuthenticator(stream);
    } else if (stream.accept("rand")) {
      stream.expect("=");
      nonce = stream.accept("auto") ? undefined : stream.expectNumber("a nonce", maximum32);
    } else break;
  }
  return kind === "mp_join_syn"
    ? { kind, backup, addressId, token: authenticator, nonce, position }
    : { kind: "mp_join_syn_ack", backup, addressId, hmac: authenticator, nonce, position };
}

/** `backup` or `backup=1`. */
function parseBit(stream: TokenStream): boolean {
  return stream.accept("=") ? stream.expectNumber("0 or 1", 1) === 1 : true;
}

function parseAddressId(stream: TokenStream): number | undefined {
  stream.expect("=");
  return stream.accept("auto") ? undefined : stream.expectNumber("an address id", 255);
}

function parseAuthenticator(stream: TokenStream): AuthenticatorSpec {
  if (stream.accept("auto")) return { kind: "auto" };
  if (stream.atKind("integer")) return { kind: "literal", value: stream.expectInteger("a number") };
  const token = stream.expectKind("word", "auto, a number or a function of keys");
  stream.expect("(");
  if (stream.atKind("integer")) {
    const value = stream.expectInteger("a number");
    stream.expect(")");
    return { kind: "literal", value };
  }
  const keys: KeyRef[] = [];
  while (!stream.accept(")")) {
    stream.accept(",");
    keys.push(parseKey(stream));
  }
  return { kind: "function", name: token.text, keys, position: token.position };
}

function parseDss(stream: TokenStream): DssSpec {
  const { position } = stream.next();
  const option: DssSpec = {
    kind: "dss",
    acknowledgement: undefined,
    sequence: undefined,
    subflowSequence: undefined,
    length: undefined,
    checksum: "none",
    fin: false,
    position,
  };
  for (;;) {
    if (stream.at("dack4") || stream.at("dack8")) option.acknowledgement = parseDataNumber(stream);
    else if (stream.at("dsn4") || stream.at("dsn8")) option.sequence = parseDataNumber(stream);
    else if (stream.accept("ssn")) {
      stream.expect("=");
      option.subflowSequence = stream.expectNumber("a subflow sequence number", maximum32);
    } else if (stream.accept("dll")) {
      stream.expect("=");
      option.length = stream.expectNumber("a data-level length", 0xffff);
    } else if (stream.at("nocs") || stream.at("cksum") || stream.at("checksum"))
      option.checksum = parseChecksum(stream);
    else if (stream.accept("fin") || stream.accept("FIN")) option.fin = true;
    else if (stream.at(",") || stream.at(">")) return option;
    else stream.fail("dack4, dack8, dsn4, dsn8, ssn, dll, nocs, cksum or fin");
  }
}

/** `dsn8` alone, which leaves the number to packetdrill, `dsn8=1`, with named keys `dsn4=trunc_r64_hmac_sha256(skey)+1`, with the key itself `dack8=trunc_r64_hmac_sha256(2)`. */
function parseDataNumber(stream: TokenStream): DataNumber {
  const octets = stream.next().text.endsWith("8") ? 8 : 4;
  let base: KeyRef | undefined;
  if (!stream.accept("=")) return { octets, value: 1n, base, automatic: true };
  if (stream.atKind("integer")) return { octets, value: stream.expectInteger("a number"), base };
  const token = stream.expectKind("word", "a number or a function of a key");
  if (stream.accept("(")) {
    const { text: name, position } = stream.peek();
    base = stream.atKind("integer") ? { name, value: stream.expectInteger("a key"), position } : parseKey(stream);
    stream.expect(")");
  } else base = { name: token.text, value: undefined, position: token.position };
  const value = stream.accept("+") ? stream.expectInteger("a number") : 0n;
  return token.text === "trunc_r64_hmac_sha1" ? { octets, value, base, version: 0 } : { octets, value, base };
}

function parseAddAddress(stream: TokenStream): AddAddressSpec {
  const { position } = stream.next();
  const addressId = stream.accept("address_id") ? parseAddressId(stream) : undefined;
  const address = parseAddressRef(stream);
  let port: number | undefined;
  let echo = false;
  let hmac: AuthenticatorSpec | undefined;
  for (;;) {
    if (stream.accept("port")) {
      stream.expect("=");
      port = stream.expectNumber("a port", 0xffff);
    } else if (stream.accept("addr_echo")) echo = true;
    else if (stream.accept("hmac")) {
      stream.expect("=");
      hmac = parseAuthenticator(stream);
    } else return { kind: "add_address", addressId, address, port, echo, hmac, position };
  }
}

function parseRemoveAddress(stream: TokenStream): RemoveAddressSpec {
  stream.next();
  if (!stream.accept("address_id")) stream.expect("addresses_id");
  stream.expect("=");
  stream.expect("[");
  const addressIds: number[] = [];
  while (!stream.accept("]")) {
    stream.accept(",");
    addressIds.push(stream.expectNumber("an address id", 255));
  }
  return { kind: "remove_address", addressIds };
}

function parsePriority(stream: TokenStream): PrioritySpec {
  stream.next();
  const backup = stream.accept("backup") ? parseBit(stream) : false;
  const addressId = stream.accept("address_id") ? parseAddressId(stream) : undefined;
  return { kind: "mp_prio", backup, addressId };
}

function parseFail(stream: TokenStream): FailSpec {
  const { position } = stream.next();
  const sequence = stream.at("dsn8") || stream.at("dsn4") ? parseDataNumber(stream) : undefined;
  return { kind: "mp_fail", sequence, position };
}

/** `mp_fastclose`: with the receiver's key; `mp_fastclose k=5` or `mp_fastclose key[k=5]`: with that one; `mp_fastclose k+1`: with the one after it. */
function parseFastClose(stream: TokenStream): FastCloseSpec {
  const { position } = stream.next();
  let key: KeyRef | undefined;
  if (stream.at("key") && stream.at("[", 1)) {
    stream.next();
    [key] = parseKeys(stream);
  } else if (stream.atKind("word")) key = parseKey(stream);
  const step = stream.accept("+") ? stream.expectInteger("a number") : 0n;
  return { kind: "mp_fastclose", key, step, position };
}

function parseReset(stream: TokenStream): ResetSpec {
  stream.next();
  const reason = stream.expectNumber("a reason", 255);
  return { kind: "mp_reset", reason, flags: stream.at("flags") ? parseFlagList(stream) : 0 };
}
