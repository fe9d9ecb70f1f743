/** What the MPTCP options of a received segment mean. */

import { capableFlag, type MptcpOptions, mptcpPresent, resetReason } from "../wire/mptcp-options.ts";
import { unwrap32, unwrap64 } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { behindSynData, deriveKey, equalBytes, joinHmac } from "./keys.ts";
import type { Subflow } from "./subflow.ts";
import { releaseHeld } from "./subflow-delivery.ts";
import { capableSynAttempts } from "./subflow-output.ts";

/** A SYN (passive) or SYN/ACK (active). False: the subflow is refused with a reset. */
export function readSynOptions(subflow: Subflow, segment: TcpSegment, now: number): boolean {
  const { connection } = subflow;
  const options = segment.mptcp;
  switch (subflow.role) {
    case "initial-server":
      return true; // The listener has read MP_CAPABLE before it made the connection.
    case "initial-client": {
      if (connection.plain) return true;
      const understood =
        options.capableVersion === 1 &&
        (options.capableFlags & capableFlag.extensibility) === 0 &&
        (options.capableFlags & capableFlag.hmacSha256) !== 0;
      if (options.has(mptcpPresent.capable) && understood && options.capableKeys === 1) {
        connection.peerKey = deriveKey({ high: options.senderKeyHigh, low: options.senderKeyLow });
        if (options.capableFlags & capableFlag.checksumRequired) connection.checksumEnabled = true;
        connection.joinsToInitialAddress = (options.capableFlags & capableFlag.noJoinToInitialAddress) === 0;
        connection.dataSender.windowEdge = segment.window;
        return true;
      }
      const withoutOption = subflow.endpoint.synAttempts > capableSynAttempts;
      if (options.has(mptcpPresent.capable)) connection.fallback.begin("version-not-supported", subflow, now);
      else connection.fallback.begin(withoutOption ? "syn-options-dropped" : "peer-without-mptcp", subflow, now);
      return true;
    }
    case "join-client": {
      if (!options.has(mptcpPresent.join) || options.joinLength !== 16) {
        subflow.resetReason = resetReason.mptcpSpecific;
        return false;
      }
      subflow.remoteNonce = options.joinNonce;
      const expected = joinHmac(
        connection.peerKey!.key,
        connection.localKey!.key,
        options.joinNonce,
        subflow.localNonce,
      );
      if (!equalBytes(expected, options.joinHmac, 8)) {
        subflow.resetReason = resetReason.mptcpSpecific;
        return false;
      }
      if (options.joinBackup) subflow.backup = true;
      return true;
    }
    case "join-server":
      subflow.remoteNonce = options.joinNonce;
      if (options.joinBackup) subflow.backup = true;
      return true;
  }
}

/**
 * The peer's SYN once more, perhaps without the option that the first had: then SYNs or SYN/ACKs with it get lost, and what answers it has none either. Whether
 * the connection speaks MPTCP the third packet decides, for the peer may have had the first answer meanwhile (RFC 8684 §3.1).
 */
export function readRepeatedSyn(subflow: Subflow, segment: TcpSegment): void {
  subflow.peerLeftOptionOut = subflow.role === "initial-server" && segment.mptcp.present === 0;
}

/** A segment after the SYN, before its payload. False: nothing more of it is to be processed. */
export function readOptions(subflow: Subflow, segment: TcpSegment, now: number): boolean {
  const { connection } = subflow;
  const options = segment.mptcp;
  if (connection.plain) {
    connection.heardAt = now;
    if (!options.has(mptcpPresent.dss) || !contradictsFallback(subflow, options)) return true;
    subflow.endpoint.abort("protocol-error", now);
    return false;
  }
  if (options.has(mptcpPresent.fastClose) && isOwnKey(subflow, options)) {
    connection.lifetime.onFastClose(subflow, segment.has(tcpFlag.rst), now);
    return false;
  }
  if (segment.has(tcpFlag.rst)) {
    if (options.has(mptcpPresent.reset)) {
      subflow.peerResetReason = options.resetReason;
      subflow.peerResetTransient = options.resetTransient;
      connection.environment.record({
        time: now,
        name: "mptcp:reset-received",
        connection: connection.id,
        subflow: subflow.id,
        section: "RFC 8684 §3.6",
        reasonCode: options.resetReason,
        transient: options.resetTransient,
      });
    }
    return true;
  }
  if (!subflow.endpoint.synchronized && !completeHandshake(subflow, segment, now)) return false;
  if (connection.plain) return true;
  subflow.silenceCheck.noteHeard(now);
  subflow.confirmJoin(now); // By whatever comes after the SYN/ACK (RFC 8684 §3.2).
  if (options.has(mptcpPresent.join) && subflow.role === "join-server") subflow.endpoint.requestAck();

  connection.fallback.noteSegment(subflow, segment, now);
  if (options.has(mptcpPresent.dss)) readDss(subflow, segment, now);
  else if (options.has(mptcpPresent.capable) && options.capableKeys === 2) readCapableData(subflow, options, now);
  else if (!connection.confirmed && showsStrippedOptions(subflow, segment)) {
    connection.fallback.onStrippedOptions(subflow, segment, now);
    return true;
  } else if (subflow.isJoin && acknowledgesDataSilently(subflow, segment))
    connection.fallback.onStrippedJoin(subflow, now);
  if (subflow.endpoint.closed) return false;

  const addressOptions =
    mptcpPresent.addAddress | mptcpPresent.removeAddress | mptcpPresent.priority | mptcpPresent.fail;
  if (options.has(addressOptions)) readSignals(subflow, options, now);
  return !subflow.endpoint.closed;
}

/**
 * RFC 8684 §3.7: before the first DSS, data or the acknowledgement of our data without any MPTCP option mean that the peer, or the path, speaks plain TCP. An
 * acknowledgement of nothing new does not: ADD_ADDR travels on such and may have been stripped. Nor do the initiator's first data at once: they may have been cut,
 * with the option on the later part, for which the listener holds them.
 */
function showsStrippedOptions(subflow: Subflow, segment: TcpSegment): boolean {
  if (segment.mptcp.present !== 0) return false;
  if (segment.payloadLength > 0) return subflow.role === "initial-client";
  if (segment.has(tcpFlag.fin)) return true;
  return subflow.endpoint.sender.next > 1 && subflow.endpoint.acknowledgesMoreThanSyn(segment);
}

/** RFC 8684 §3.7: our first data on a joined subflow are acknowledged without any MPTCP option. */
function acknowledgesDataSilently(subflow: Subflow, segment: TcpSegment): boolean {
  if (segment.mptcp.present !== 0 || subflow.optionsPass) return false;
  return subflow.endpoint.sender.next > 1 && subflow.endpoint.acknowledgesMoreThanSyn(segment);
}

/** The peer still speaks MPTCP, and what it sends is not the next of the stream: an error is better than wrong bytes. */
function contradictsFallback(subflow: Subflow, options: MptcpOptions): boolean {
  const { peerKey, reassembly } = subflow.connection;
  const infinite = subflow.infiniteMapping;
  if (!options.hasMapping || options.dataLength === 0 || peerKey === undefined || infinite === undefined) return false;
  if (options.dataFin && options.dataLength === 1) return false;
  const subflowStart = subflowStartOf(subflow, options);
  if (subflowStart < infinite.subflowStart) return false;
  const dataStart = unwrap32(options.dataSequenceLow, peerKey.firstDataSequence, reassembly.next);
  return dataStart - infinite.dataStart !== subflowStart - infinite.subflowStart;
}

/** The passive side in SYN-RECEIVED: the third ACK (RFC 8684 §3.1, §3.2). False: the segment cannot complete the handshake. */
function completeHandshake(subflow: Subflow, segment: TcpSegment, now: number): boolean {
  const { connection } = subflow;
  const options = segment.mptcp;
  if (subflow.role === "initial-server") {
    if (options.has(mptcpPresent.capable) && options.capableKeys === 2) {
      const { key } = connection.localKey!;
      if (options.receiverKeyHigh !== key.high || options.receiverKeyLow !== key.low) return false;
      const peerKey = deriveKey({ high: options.senderKeyHigh, low: options.senderKeyLow });
      connection.peerKey = behindSynData(peerKey, subflow.synDataReceived);
      connection.dataSender.windowEdge = subflow.endpoint.scaledWindow(segment);
      subflow.endpoint.requestAck();
      return true;
    }
    // Later data that overtook the third ACK: the peer's key comes with what is sent again.
    if (options.present !== 0) return false;
    connection.fallback.begin("third-ack-without-option", subflow, now);
    return true;
  }
  const { peerKey, localKey } = connection;
  const expected = joinHmac(peerKey!.key, localKey!.key, subflow.remoteNonce, subflow.localNonce);
  const hasHmac = options.has(mptcpPresent.join) && options.joinLength === 24;
  if (hasHmac && equalBytes(expected, options.joinHmac, 20)) return true;
  subflow.resetReason = resetReason.mptcpSpecific;
  subflow.endpoint.abort("authentication-failed", now);
  return false;
}

function isOwnKey(subflow: Subflow, options: MptcpOptions): boolean {
  const key = subflow.connection.localKey?.key;
  return key !== undefined && key.high === options.fastCloseKeyHigh && key.low === options.fastCloseKeyLow;
}

/** The first data of the initiator: who sends them has seen our key, and need not send a DSS any more (RFC 8684 §3.1). */
function readCapableData(subflow: Subflow, options: MptcpOptions, now: number): void {
  const length = options.capableDataLength;
  if (length === 0) return;
  const { connection, synDataReceived } = subflow;
  if (options.checksum >= 0 !== connection.checksumEnabled) {
    connection.fallback.onInvalidMapping(subflow, misfit(options), synDataReceived, length, now);
    return;
  }
  connection.confirm(now);
  const start = 1 + synDataReceived;
  if (subflow.delivered > start) return;
  subflow.mappings.add(start, synDataReceived, length, options.checksum, length);
  releaseHeld(subflow, now);
}

function readDss(subflow: Subflow, segment: TcpSegment, now: number): void {
  const { connection } = subflow;
  const options = segment.mptcp;
  connection.confirm(now);
  subflow.optionsPass = true;
  if (options.hasDataAck) {
    connection.heardAt = now;
    const base = connection.localKey!.firstDataSequence;
    const offset = options.dataAck64
      ? unwrap64(options.dataAckHigh, options.dataAckLow, base)
      : unwrap32(options.dataAckLow, base, connection.dataSender.unacknowledged);
    connection.dataSender.handleDataAck(offset, subflow.endpoint.scaledWindow(segment), now);
  }
  if (options.hasMapping) readMapping(subflow, options, now);
}

/** Of a checksum, or its lack, that was not agreed on. */
function misfit({ checksum }: MptcpOptions): "checksum-missing" | "checksum-unexpected" {
  return checksum < 0 ? "checksum-missing" : "checksum-unexpected";
}

/** Where in the subflow's stream a mapping begins. */
function subflowStartOf({ endpoint, synDataReceived }: Subflow, options: MptcpOptions): number {
  const { next } = endpoint.receiver;
  return next + ((options.subflowSequence + synDataReceived - next) | 0);
}

function readMapping(subflow: Subflow, options: MptcpOptions, now: number): void {
  const { connection } = subflow;
  const base = connection.peerKey!.firstDataSequence;
  // RFC 8684 §3.3.1: who receives 8-octet numbers acknowledges with 8 octets.
  connection.use64BitAck = options.dataSequence64;
  const dataStart = options.dataSequence64
    ? unwrap64(options.dataSequenceHigh, options.dataSequenceLow, base)
    : unwrap32(options.dataSequenceLow, base, connection.reassembly.next);
  if (!(dataStart >= 0)) return; // Before the beginning, or NaN: no mapping of this connection.
  const subflowStart = subflowStartOf(subflow, options);
  if (options.dataLength === 0) {
    connection.fallback.onInfiniteMapping(subflow, subflowStart, dataStart, now);
    return;
  }
  const length = options.dataFin ? options.dataLength - 1 : options.dataLength;
  if (options.dataFin) connection.dataReceiver.onDataFin(dataStart + length, subflow, now);
  if (length === 0 || subflowStart + length <= subflow.delivered) return;
  if (options.checksum >= 0 !== connection.checksumEnabled) {
    connection.fallback.onInvalidMapping(subflow, misfit(options), dataStart, length, now);
    return;
  }
  if (!subflow.mappings.add(subflowStart, dataStart, length, options.checksum, options.dataLength)) {
    connection.fallback.onInvalidMapping(subflow, "contradicts-earlier", dataStart, length, now);
  } else if (subflow.held.first !== undefined) releaseHeld(subflow, now);
}

function readSignals(subflow: Subflow, options: MptcpOptions, now: number): void {
  const { connection } = subflow;
  if (options.has(mptcpPresent.addAddress)) {
    connection.paths.addresses.onAddAddress(options.addAddress, now);
    for (const option of options.furtherAddAddresses) connection.paths.addresses.onAddAddress(option, now);
  }
  if (options.has(mptcpPresent.removeAddress)) {
    for (let i = 0; i < options.removeAddressCount; i++) {
      connection.paths.addresses.onRemoveAddress(options.removeAddressIds[i]!, subflow, now);
    }
  }
  if (options.has(mptcpPresent.priority)) connection.paths.onPriority(subflow, options.priorityBackup, now);
  if (options.has(mptcpPresent.fail)) {
    const { failSequenceHigh, failSequenceLow } = options;
    const failedAt = unwrap64(failSequenceHigh, failSequenceLow, connection.localKey!.firstDataSequence);
    connection.fallback.onFail(subflow, failedAt, now);
  }
}
