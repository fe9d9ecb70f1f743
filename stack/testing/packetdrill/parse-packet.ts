/** Packets: `< addr[caddr0] > addr[saddr0] S 0:0(0) win 65535 <mss 1460,sackOK>`. */

import { parseAddressRef } from "./parse-address.ts";
import { parseOptions } from "./parse-options.ts";
import { ScriptSyntaxError } from "./script-error.ts";
import type { PacketSpec, TcpSpec } from "./syntax.ts";
import type { TokenStream } from "./token-stream.ts";

const maximumSequence = 0xffff_ffff;
const congestionMarks: Readonly<Record<string, number>> = { noecn: 0, ect1: 1, ect0: 2, ce: 3 };
const flagLetters = /^[FSRPEWUCAN]+$/;
/** AccECN's counter of three bits as a digit (RFC 9768 §3.2.2), behind the letters of the other flags: `P5.`. */
const flagsWithCounter = /^([FSRPEWUCAN]+)[0-7]$/;

export function parsePacket(stream: TokenStream): PacketSpec {
  const { position, start } = stream.peek();
  const direction = stream.next().text === "<" ? "inbound" : "outbound";
  const packet: PacketSpec = {
    direction,
    unsupported: undefined,
    congestionMark: undefined,
    source: undefined,
    destination: undefined,
    socket: undefined,
    tcp: undefined,
    text: "",
    position,
  };
  const prefixes: string[] = [];
  parseAddresses(stream, packet, prefixes);
  parsePrefixes(stream, packet, prefixes);
  // The fields of the IP header may also stand before the addresses.
  if (packet.source === undefined && packet.destination === undefined) parseAddresses(stream, packet, prefixes);
  const other = stream.peek().text;
  if (other === "udp" || other === "icmp" || other === "icmpv6" || other === "raw") {
    prefixes.push(other);
    skipOtherProtocol(stream, packet, prefixes);
  } else packet.tcp = parseTcp(stream, prefixes);
  if (stream.at("sock") && stream.at("(", 1)) {
    stream.next();
    stream.expect("(");
    packet.socket = stream.expectNumber("a file descriptor", 1 << 20);
    stream.expect(")");
  }
  if (stream.accept("{")) prefixes.push(`changes of octets {${collect(stream, "}")}}`);
  if (prefixes.length > 0) packet.unsupported = prefixes.join(", ");
  packet.text = stream.textSince(start);
  return packet;
}

/** `addr[x] > addr[y]`, either side may be left out. */
function parseAddresses(stream: TokenStream, packet: PacketSpec, prefixes: string[]): void {
  const { start } = stream.peek();
  if (stream.at("addr")) packet.source = parseAddressRef(stream);
  else parseEndpoint(stream, prefixes);
  if (!stream.at(">")) {
    if (stream.peek().start !== start) stream.fail('">" and the destination');
    return;
  }
  stream.next();
  if (stream.at("addr")) packet.destination = parseAddressRef(stream);
  else parseEndpoint(stream, prefixes);
}

/** `1234`, `192.0.2.1:80`: which ports of the machine they stand for is packetdrill's affair; their form is read. */
function parseEndpoint(stream: TokenStream, prefixes: string[]): void {
  let address = "";
  if (stream.atKind("ipv4-address") || stream.atKind("ipv6-address")) {
    address = `${stream.next().text}:`;
    stream.expect(":");
  } else if (!stream.atKind("integer")) return;
  prefixes.push(`endpoint ${address}${stream.expectNumber("a port", 0xffff)}`);
}

/** Fields of the IP header and encapsulations: their form is read, so that scripts with them parse. */
function parsePrefixes(stream: TokenStream, packet: PacketSpec, prefixes: string[]): void {
  for (;;) {
    if (stream.accept("[")) {
      const fields = collect(stream, "]");
      const mark = Object.hasOwn(congestionMarks, fields) ? congestionMarks[fields] : undefined;
      if (mark === undefined) prefixes.push(`IP header [${fields}]`);
      else packet.congestionMark = mark;
    } else if (stream.accept("(")) prefixes.push(`IP header (${collect(stream, ")")})`);
    else if (stream.at("ipv4") || stream.at("ipv6")) {
      prefixes.push(`${stream.next().text} encapsulation`);
      collect(stream, ":");
    } else if (stream.at("gre") || stream.at("GREv0") || stream.at("mpls")) {
      prefixes.push(stream.next().text);
      collect(stream, ":");
    } else if (stream.at("psp")) {
      prefixes.push(parseSecurityProtocol(stream));
      stream.expect(":");
    } else if (stream.accept("encap")) prefixes.push(parseSecurityProtocol(stream));
    else return;
  }
}

/** `psp spi 7, vc 0x12`. */
function parseSecurityProtocol(stream: TokenStream): string {
  const name = stream.expect("psp").text;
  stream.expect("spi");
  stream.expectInteger("a security parameters index");
  if (!stream.accept(",")) return name;
  stream.expect("vc");
  stream.expectInteger("a virtualization cookie");
  return name;
}

function collect(stream: TokenStream, closing: string): string {
  const words: string[] = [];
  while (!stream.at(closing)) {
    if (stream.atKind("end")) stream.fail(`"${closing}"`);
    words.push(stream.next().text);
  }
  stream.next();
  return words.join(" ");
}

function skipOtherProtocol(stream: TokenStream, packet: PacketSpec, prefixes: string[]): void {
  const isUdp = stream.next().text === "udp";
  if (isUdp) parseAddresses(stream, packet, prefixes);
  while (stream.atKind("word") && !stream.at("sock")) {
    stream.next();
    if (stream.atKind("integer")) stream.next();
  }
  if (stream.accept("(")) collect(stream, ")");
  if (stream.accept("[")) collect(stream, "]");
}

function parseTcp(stream: TokenStream, prefixes: string[]): TcpSpec {
  const flags = parseFlags(stream, prefixes);
  const { position } = stream;
  const sequence = stream.expectNumber("a sequence number", maximumSequence);
  stream.expect(":");
  const end = stream.expectNumber("a sequence number", maximumSequence);
  stream.expect("(");
  const length = stream.expectNumber("a length", 0xffff);
  stream.expect(")");
  if ((sequence + length) % 2 ** 32 !== end) {
    throw new ScriptSyntaxError(
      position,
      `${sequence}:${(sequence + length) % 2 ** 32}(${length})`,
      `${sequence}:${end}(${length})`,
    );
  }
  const tcp: TcpSpec = {
    flags,
    sequence,
    length,
    acknowledgement: undefined,
    window: undefined,
    urgentPointer: undefined,
    options: [],
  };
  if (stream.accept("ack")) tcp.acknowledgement = stream.expectNumber("an acknowledgement number", maximumSequence);
  if (stream.accept("win")) tcp.window = stream.expectNumber("a window", 0xffff);
  if (stream.accept("urg")) tcp.urgentPointer = stream.expectNumber("an urgent pointer", 0xffff);
  // A packet of its own would begin with its time.
  if (stream.at("<")) tcp.options = parseOptions(stream);
  return tcp;
}

function parseFlags(stream: TokenStream, prefixes: string[]): string {
  if (stream.accept("-")) return "";
  let flags = "";
  for (let end = -1; end < 0 || stream.peek().start === end;) {
    const token = stream.peek();
    const counted = token.kind === "word" ? flagsWithCounter.exec(token.text) : null;
    if (token.kind === "word" && flagLetters.test(token.text)) flags += token.text;
    else if (counted !== null) {
      flags += counted[1];
      prefixes.push("AccECN counter");
    } else if (token.kind === "punctuation" && token.text === ".") flags += ".";
    else if (token.kind === "decimal" && token.text.startsWith(".")) {
      // The counter of RFC 9768 stands where the flags do.
      flags += ".";
      prefixes.push("AccECN counter");
    } else break;
    end = token.end;
    stream.next();
  }
  if (flags === "") stream.fail("TCP flags, as S, S. or P.");
  return flags;
}
