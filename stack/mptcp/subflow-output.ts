/** The MPTCP options of every segment that a subflow sends. */

import type { SentRange } from "../tcp/sent-queue.ts";
import { capableFlag, type MptcpOptions, mptcpPresent } from "../wire/mptcp-options.ts";
import { addHigh, addLow } from "../wire/sequence.ts";
import { isIpv6 } from "../wire/ip-address.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { dataFinChecksum } from "./dss-checksum.ts";
import { joinHmac } from "./keys.ts";
import type { Signal } from "./signals.ts";
import type { Subflow } from "./subflow.ts";

/** After so many SYNs with MP_CAPABLE and no answer, SYNs go without: a middlebox may drop those with options (RFC 8684 §3.7). */
export const capableSynAttempts = 2;

/**
 * A DSS with 64-bit numbers and a checksum. Where MP_FAIL may come, the segment size that we offer leaves room for it: after the fallback Linux (6.18) cuts what waits
 * to be sent at the size of plain TCP, but some of it still carries a mapping, exceeds the MTU, is dropped by the sender itself, and the connection stands still.
 */
const longestMapping = 28;

/** `range`: what the segment carries, if it carries data; `attempt`: of a SYN, from 0. */
export function writeOptions(
  subflow: Subflow,
  segment: TcpSegment,
  range: SentRange | undefined,
  attempt: number,
): void {
  const { connection } = subflow;
  const options = segment.mptcp;
  if (segment.has(tcpFlag.syn)) {
    if (connection.checksumEnabled && !connection.plain) segment.mss -= longestMapping;
    if (subflow.isJoin) writeJoinSyn(subflow, options);
    else if (!connection.plain) writeCapableSyn(subflow, options, attempt);
    return;
  }
  if (connection.peerKey === undefined) return;
  if (connection.plain) {
    if (range !== undefined && !range.fin) writeInfiniteMapping(subflow, options, range);
    return;
  }
  if (segment.has(tcpFlag.rst)) {
    writeReset(subflow, options);
    return;
  }
  if (!subflow.joinConfirmed) {
    writeJoinAck(subflow, options);
    return;
  }
  const first = subflow.role === "initial-client" && !connection.confirmed;
  const start = 1 + subflow.synDataSent;
  const isThird =
    range === undefined ? subflow.endpoint.sender.next === start && !endsAfterThirdAck(subflow) : range.start === start;
  if (first && isThird) {
    subflow.thirdAckSent = true;
    writeCapableAck(subflow, options, range);
    return;
  }
  // The peer whose first data came without an option shall see the same of us, should both have to fall back (RFC 8684 §3.7).
  if (range === undefined && !connection.confirmed && subflow.held.first !== undefined) return;
  if (range === undefined && subflow.signal !== undefined && needsAllRoom(subflow.signal)) {
    writeSignal(options, subflow.signal);
    subflow.signal = undefined;
    return;
  }
  writeDataAck(subflow, options);
  if (range !== undefined && !range.fin) {
    writeMapping(subflow, options, range);
    return;
  }
  if (connection.lifetime.announcesFastClose(subflow)) {
    writeFastClose(subflow, options);
    return;
  }
  if (subflow.announceDataFin) {
    subflow.announceDataFin = false;
    writeDataFin(subflow, options);
    return;
  }
  if (subflow.signal !== undefined && range === undefined) {
    writeSignal(options, subflow.signal);
    subflow.signal = undefined;
  }
}

/** ADD_ADDR with an IPv6 address and its HMAC takes all of the 28 octets that timestamps leave: it goes without a DATA_ACK (RFC 8684 §3.4.1). */
function needsAllRoom(signal: Signal): boolean {
  return (signal.kind === "add-address" || signal.kind === "add-address-echo") && isIpv6(signal.address);
}

/** Data have gone with the SYN, or there are none: DATA_FIN is what is left to say, and a peer that waits for data says nothing before it (RFC 8684 §3.1). */
function endsAfterThirdAck({ announceDataFin, thirdAckSent }: Subflow): boolean {
  return announceDataFin && thirdAckSent;
}

function capableFlags(subflow: Subflow): number {
  const { checksumEnabled, environment } = subflow.connection;
  return (
    capableFlag.hmacSha256 |
    (checksumEnabled ? capableFlag.checksumRequired : 0) |
    (environment.policy.allowJoinInitialAddress ? 0 : capableFlag.noJoinToInitialAddress)
  );
}

function writeCapableSyn(subflow: Subflow, options: MptcpOptions, attempt: number): void {
  if (subflow.role === "initial-client" ? attempt >= capableSynAttempts : subflow.peerLeftOptionOut) return;
  options.present = mptcpPresent.capable;
  options.capableVersion = 1;
  options.capableFlags = capableFlags(subflow);
  options.capableKeys = subflow.role === "initial-server" ? 1 : 0;
  writeOwnKey(subflow, options);
}

function writeOwnKey(subflow: Subflow, options: MptcpOptions): void {
  const { key } = subflow.connection.localKey!;
  options.senderKeyHigh = key.high;
  options.senderKeyLow = key.low;
}

/** The third ACK, and the first data instead of it or after it (RFC 8684 §3.1). */
function writeCapableAck(subflow: Subflow, options: MptcpOptions, range: SentRange | undefined): void {
  const { key } = subflow.connection.peerKey!;
  options.present = mptcpPresent.capable;
  options.capableVersion = 1;
  options.capableFlags = capableFlags(subflow);
  options.capableKeys = 2;
  writeOwnKey(subflow, options);
  options.receiverKeyHigh = key.high;
  options.receiverKeyLow = key.low;
  if (range !== undefined) {
    options.capableDataLength = range.mappingLength;
    options.checksum = range.mappingChecksum;
  }
}

function writeJoinSyn(subflow: Subflow, options: MptcpOptions): void {
  const { connection } = subflow;
  options.present = mptcpPresent.join;
  options.joinBackup = subflow.asksForBackup;
  options.joinAddressId = connection.subflowSet.wireAddressId(subflow.local);
  options.joinNonce = subflow.localNonce;
  if (subflow.role === "join-client") {
    options.joinLength = 12;
    options.joinToken = connection.peerKey!.token;
  } else {
    options.joinLength = 16;
    const hmac = joinHmac(connection.localKey!.key, connection.peerKey!.key, subflow.localNonce, subflow.remoteNonce);
    options.joinHmac.set(hmac.subarray(0, 8));
  }
}

function writeJoinAck(subflow: Subflow, options: MptcpOptions): void {
  const { connection } = subflow;
  options.present = mptcpPresent.join;
  options.joinLength = 24;
  const hmac = joinHmac(connection.localKey!.key, connection.peerKey!.key, subflow.localNonce, subflow.remoteNonce);
  options.joinHmac.set(hmac.subarray(0, 20));
}

function writeReset(subflow: Subflow, options: MptcpOptions): void {
  const { connection } = subflow;
  if (connection.lifetime.announcesFastClose(subflow)) writeFastClose(subflow, options);
  else if (subflow.resetReason >= 0) {
    options.present |= mptcpPresent.reset;
    options.resetTransient = false;
    options.resetReason = subflow.resetReason;
    if (subflow.failedSequence !== undefined) writeSignal(options, { kind: "fail", ...subflow.failedSequence });
  }
}

function writeFastClose({ connection }: Subflow, options: MptcpOptions): void {
  const { key } = connection.peerKey!;
  options.present |= mptcpPresent.fastClose;
  options.fastCloseKeyHigh = key.high;
  options.fastCloseKeyLow = key.low;
}

function writeDataAck(subflow: Subflow, options: MptcpOptions): void {
  const { connection } = subflow;
  const base = connection.peerKey!.firstDataSequence;
  const next = connection.reassembly.next;
  options.present |= mptcpPresent.dss;
  options.hasDataAck = true;
  options.dataAck64 = connection.use64BitAck;
  options.dataAckHigh = addHigh(base, next);
  options.dataAckLow = addLow(base, next);
  connection.dataReceiver.noteTold();
}

function writeDataSequence({ connection }: Subflow, options: MptcpOptions, dataOffset: number): void {
  const base = connection.localKey!.firstDataSequence;
  options.hasMapping = true;
  options.dataSequence64 = connection.sequenceWidth.isLong;
  options.dataSequenceHigh = addHigh(base, dataOffset);
  options.dataSequenceLow = addLow(base, dataOffset);
}

function writeMapping(subflow: Subflow, options: MptcpOptions, range: SentRange): void {
  writeDataSequence(subflow, options, range.mappingDataStart);
  options.subflowSequence = (range.mappingStart - subflow.synDataSent) >>> 0;
  options.dataLength = range.mappingLength;
  options.checksum = range.mappingChecksum;
}

/** Length 0: from `subflowStart` on, our stream is the data (RFC 8684 §3.3.1, §3.7). */
function writeInfiniteMapping(subflow: Subflow, options: MptcpOptions, range: SentRange): void {
  const { connection } = subflow;
  const mapping = connection.fallback.mappingToAnnounce(subflow, range);
  if (mapping === undefined) return;
  writeDataAck(subflow, options);
  writeDataSequence(subflow, options, mapping.dataStart);
  options.subflowSequence = (mapping.subflowStart - subflow.synDataSent) >>> 0;
  options.dataLength = 0;
  options.checksum = connection.checksumEnabled ? 0 : -1;
}

/** DATA_FIN alone: length 1, subflow sequence 0 (RFC 8684 §3.3.3). */
function writeDataFin(subflow: Subflow, options: MptcpOptions): void {
  const { connection } = subflow;
  const base = connection.localKey!.firstDataSequence;
  const offset = connection.dataSender.finOffset;
  writeDataSequence(subflow, options, offset);
  options.dataFin = true;
  options.subflowSequence = 0;
  options.dataLength = 1;
  options.checksum = connection.checksumEnabled ? dataFinChecksum(base, offset) : -1;
}

function writeSignal(options: MptcpOptions, signal: Signal): void {
  switch (signal.kind) {
    case "add-address":
    case "add-address-echo":
      options.present |= mptcpPresent.addAddress;
      options.addAddress.echo = signal.kind === "add-address-echo";
      options.addAddress.id = signal.addressId;
      options.addAddress.address = signal.address;
      options.addAddress.port = signal.port;
      if (signal.kind === "add-address") {
        options.addAddress.hmacHigh = signal.hmac.high;
        options.addAddress.hmacLow = signal.hmac.low;
      }
      return;
    case "remove-address":
      options.present |= mptcpPresent.removeAddress;
      options.removeAddressCount = signal.addressIds.length;
      signal.addressIds.forEach((id, i) => (options.removeAddressIds[i] = id));
      return;
    case "priority":
      options.present |= mptcpPresent.priority;
      options.priorityBackup = signal.backup;
      return;
    case "fail":
      options.present |= mptcpPresent.fail;
      options.failSequenceHigh = signal.high;
      options.failSequenceLow = signal.low;
      return;
  }
}
