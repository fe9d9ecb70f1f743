/** What passes between a host and the driver of its interfaces: frames, with the offload metadata of virtio-net. */

/**
 * What the device says about the checksum of a received frame.
 * `unverified`: the stack verifies it. `valid`: somebody has. `partial`: it was never filled in (the frame comes from a local stack
 * with transmit checksum offload; VIRTIO_NET_HDR_F_NEEDS_CSUM) and therefore cannot be wrong.
 */
export const checksumState = { unverified: 0, valid: 1, partial: 2 } as const;
export type ChecksumState = (typeof checksumState)[keyof typeof checksumState];

/**
 * A frame to be sent: header bytes, then `payloadCount` pieces of the application's own memory.
 * The object, its header and its arrays are reused: a sink takes what it needs before it returns. The payload bytes themselves
 * do not change until the peer has acknowledged them, so a sink may keep references to them until its batch is sent.
 */
export interface OutgoingFrame {
  /** Index into `HostOptions.interfaces`. */
  interfaceIndex: number;
  /** Ethernet, IP and TCP header: the first `headerLength` bytes. */
  readonly header: Uint8Array;
  headerLength: number;
  /** Piece i is `payloadBuffers[i]` from `payloadOffsets[i]`, `payloadLengths[i]` bytes long. */
  readonly payloadBuffers: Uint8Array[];
  readonly payloadOffsets: number[];
  readonly payloadLengths: number[];
  payloadCount: number;
  /** Sum of `payloadLengths[0 … payloadCount)`. */
  payloadLength: number;
  /** Payload bytes per segment that the device is to cut (TCP segmentation offload, over IPv4 or IPv6 as the EtherType says), 0: the frame is one segment. */
  gsoSize: number;
  /**
   * Where the device's checksum begins and where it goes, from the start of the frame and from `checksumStart`; the field then holds the
   * pseudo-header's sum (csum_start and csum_offset of virtio-net). `checksumStart` 0: all checksums are complete.
   */
  checksumStart: number;
  checksumOffset: number;
}

export interface FrameSink {
  transmit(frame: OutgoingFrame): void;
}
