/** Numbers of the pcapng format (draft-ietf-opsawg-pcapng): block types and option codes that we write and read. */
export const blockType = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const;

export const byteOrderMagic = 0x1a2b3c4d;
export const linkTypeEthernet = 1;

export const option = {
  end: 0,
  comment: 1,
  sectionApplication: 4,
  interfaceName: 2,
  interfaceDescription: 3,
  interfaceTimeResolution: 9,
  packetFlags: 2,
  statisticsReceived: 4,
  statisticsDropped: 5,
} as const;

/** Direction in the two lowest bits of epb_flags. */
export const packetDirection = { unknown: 0, inbound: 1, outbound: 2 } as const;
export type PacketDirection = keyof typeof packetDirection;
