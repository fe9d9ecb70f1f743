/**
 * Completes a checksum that a device with offload would have completed (virtio-net NEEDS_CSUM): the field at
 * `checksumStart + checksumOffset` holds the folded pseudo-header sum, the rest of the segment is added to it (RFC 1071).
 *
 * @param bytes memory that holds the whole frame from `start`, `length` bytes; changed in place
 */
export function completeChecksum(
  bytes: Uint8Array,
  start: number,
  length: number,
  checksumStart: number,
  checksumOffset: number,
): void {
  if (checksumStart + checksumOffset + 2 > length) return;
  let sum = 0;
  const end = start + length;
  let at = start + checksumStart;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) sum += bytes[at]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  // All ones is the same number, and in UDP zero would mean that there is no checksum (RFC 768).
  const checksum = ~sum & 0xffff || 0xffff;
  const field = start + checksumStart + checksumOffset;
  bytes[field] = checksum >> 8;
  bytes[field + 1] = checksum & 0xff;
}
