/**
 * What may happen to a packet between two hosts, as pure objects: no clock, no timer, no randomness but a seeded stream
 * of their own. The simulator runs them in virtual time, the emulator process in real time.
 */

/** What elements look at; they never look into the bytes. */
export type PathPacket = {
  /** Length of the Ethernet frame without preamble and FCS. */
  readonly bytes: number;
};

/** Why a packet ended here: the queue was full, the loss model took it, the path was a blackhole. */
export type DropReason = "queue" | "loss" | "blackhole";

/** Takes a packet that leaves an element, at the exact time of its leaving, which may lie before the call. */
export type Deliver<Packet> = (packet: Packet, timeMicroseconds: number) => void;
export type Drop<Packet> = (packet: Packet, reason: DropReason, timeMicroseconds: number) => void;

/**
 * One element. Every packet pushed is delivered once or dropped once. Times are microseconds.
 *
 * The times of `push` never decrease, and those of `advance` neither; a push may name a time before the last `advance`
 * (the packet was read late) and is then treated as of its own time where that can still be.
 */
export type PathElement<Packet extends PathPacket> = {
  push(packet: Packet, now: number): void;
  /** When the next packet leaves, Infinity when none is held. */
  nextTime(): number;
  /** Delivers all that leaves at or before `now`, in order of time. */
  advance(now: number): void;
  readonly heldPackets: number;
};
