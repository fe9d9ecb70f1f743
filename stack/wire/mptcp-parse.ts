/** Bytes to MPTCP options. An option with an impossible length is ignored, as RFC 9293 §3.1 asks for unknown options. */

import { ipv4FromNumber } from "./ip-address.ts";
import { readIpv6 } from "./ipv6-address.ts";
import { AddAddressOption, type MptcpOptions, mptcpPresent, mptcpSubtype } from "./mptcp-options.ts";

/** Parses one option of kind 30 that occupies `length` bytes at `at` into `options`. */
export function parseMptcpOption(options: MptcpOptions, view: DataView, at: number, length: number): void {
  switch (view.getUint8(at + 2) >> 4) {
    case mptcpSubtype.capable:
      return parseCapable(options, view, at, length);
    case mptcpSubtype.join:
      return parseJoin(options, view, at, length);
    case mptcpSubtype.dss:
      return parseDss(options, view, at, length);
    case mptcpSubtype.addAddress:
      return parseAddAddress(options, view, at, length);
    case mptcpSubtype.removeAddress: {
      if (length < 4) return;
      const count = Math.min(length - 3, options.removeAddressIds.length);
      for (let i = 0; i < count; i++) options.removeAddressIds[i] = view.getUint8(at + 3 + i);
      options.removeAddressCount = count;
      options.present |= mptcpPresent.removeAddress;
      return;
    }
    case mptcpSubtype.priority:
      if (length !== 3) return;
      options.priorityBackup = (view.getUint8(at + 2) & 1) !== 0;
      options.present |= mptcpPresent.priority;
      return;
    case mptcpSubtype.fail:
      if (length !== 12) return;
      options.failSequenceHigh = view.getUint32(at + 4);
      options.failSequenceLow = view.getUint32(at + 8);
      options.present |= mptcpPresent.fail;
      return;
    case mptcpSubtype.fastClose:
      if (length !== 12) return;
      options.fastCloseKeyHigh = view.getUint32(at + 4);
      options.fastCloseKeyLow = view.getUint32(at + 8);
      options.present |= mptcpPresent.fastClose;
      return;
    case mptcpSubtype.reset:
      if (length !== 4) return;
      options.resetTransient = (view.getUint8(at + 2) & 1) !== 0;
      options.resetReason = view.getUint8(at + 3);
      options.present |= mptcpPresent.reset;
      return;
  }
}

function parseCapable(options: MptcpOptions, view: DataView, at: number, length: number): void {
  if (length !== 4 && length !== 12 && length !== 20 && length !== 22 && length !== 24) return;
  options.capableVersion = view.getUint8(at + 2) & 15;
  options.capableFlags = view.getUint8(at + 3);
  options.capableKeys = length === 4 ? 0 : length === 12 ? 1 : 2;
  if (length >= 12) {
    options.senderKeyHigh = view.getUint32(at + 4);
    options.senderKeyLow = view.getUint32(at + 8);
  }
  if (length >= 20) {
    options.receiverKeyHigh = view.getUint32(at + 12);
    options.receiverKeyLow = view.getUint32(at + 16);
  }
  if (length >= 22) options.capableDataLength = view.getUint16(at + 20);
  if (length === 24) options.checksum = view.getUint16(at + 22);
  options.present |= mptcpPresent.capable;
}

function parseJoin(options: MptcpOptions, view: DataView, at: number, length: number): void {
  if (length !== 12 && length !== 16 && length !== 24) return;
  options.joinLength = length;
  options.joinBackup = (view.getUint8(at + 2) & 1) !== 0;
  options.joinAddressId = view.getUint8(at + 3);
  if (length === 12) {
    options.joinToken = view.getUint32(at + 4);
    options.joinNonce = view.getUint32(at + 8);
  } else {
    const hmacLength = length === 16 ? 8 : 20;
    for (let i = 0; i < hmacLength; i++) options.joinHmac[i] = view.getUint8(at + 4 + i);
    if (length === 16) options.joinNonce = view.getUint32(at + 12);
  }
  options.present |= mptcpPresent.join;
}

function parseDss(options: MptcpOptions, view: DataView, at: number, length: number): void {
  if (length < 4) return;
  const flags = view.getUint8(at + 3);
  const hasDataAck = (flags & 1) !== 0;
  const dataAck64 = (flags & 2) !== 0;
  const hasMapping = (flags & 4) !== 0;
  const dataSequence64 = (flags & 8) !== 0;
  let expected = 4;
  if (hasDataAck) expected += dataAck64 ? 8 : 4;
  if (hasMapping) expected += (dataSequence64 ? 8 : 4) + 6;
  const hasChecksum = hasMapping && length === expected + 2;
  if (length !== expected && !hasChecksum) return;
  let position = at + 4;
  options.hasDataAck = hasDataAck;
  options.dataAck64 = dataAck64;
  if (hasDataAck) {
    options.dataAckHigh = dataAck64 ? view.getUint32(position) : 0;
    if (dataAck64) position += 4;
    options.dataAckLow = view.getUint32(position);
    position += 4;
  }
  options.hasMapping = hasMapping;
  options.dataSequence64 = dataSequence64;
  // Without a mapping the flag F means nothing (RFC 8684 §3.3.3: DATA_FIN is a mapping of its own).
  options.dataFin = hasMapping && (flags & 16) !== 0;
  if (hasMapping) {
    options.dataSequenceHigh = dataSequence64 ? view.getUint32(position) : 0;
    if (dataSequence64) position += 4;
    options.dataSequenceLow = view.getUint32(position);
    options.subflowSequence = view.getUint32(position + 4);
    options.dataLength = view.getUint16(position + 8);
    if (hasChecksum) options.checksum = view.getUint16(position + 10);
  }
  options.present |= mptcpPresent.dss;
}

function parseAddAddress(options: MptcpOptions, view: DataView, at: number, length: number): void {
  const echo = (view.getUint8(at + 2) & 1) !== 0;
  const rest = length - 4 - (echo ? 0 : 8);
  const isIpv4 = rest === 4 || rest === 6;
  if (!isIpv4 && rest !== 16 && rest !== 18) return;
  const addressLength = isIpv4 ? 4 : 16;
  const option = options.has(mptcpPresent.addAddress) ? new AddAddressOption() : options.addAddress;
  if (option !== options.addAddress) options.furtherAddAddresses = [...options.furtherAddAddresses, option];
  option.echo = echo;
  option.id = view.getUint8(at + 3);
  option.address = isIpv4 ? ipv4FromNumber(view.getUint32(at + 4)) : readIpv6(view, at + 4);
  let position = at + 4 + addressLength;
  option.port = 0;
  if (rest > addressLength) {
    option.port = view.getUint16(position);
    position += 2;
  }
  if (!echo) {
    option.hmacHigh = view.getUint32(position);
    option.hmacLow = view.getUint32(position + 4);
  }
  options.present |= mptcpPresent.addAddress;
}
