import type { StreamDescription } from "../protocol.ts";
import { ArrivalMeter } from "./arrival-meter.ts";
import { awaitPeerEnd, readPayload } from "./payload-reader.ts";
import { PayloadWriter } from "./payload-writer.ts";
import { PlaybackBuffer } from "./playback-buffer.ts";
import type { Role, RoleContext } from "./role.ts";
import { SegmentSchedule, streamBytes } from "./segment-schedule.ts";

/** Produces segments in real time from the connection's begin, as a camera would, and half-closes after the last. */
export function streamSender(description: StreamDescription): Role {
  return async (socket, connectedAt, context) => {
    const writer = new PayloadWriter(socket, description.payloadSeed, context.clock);
    const schedule = new SegmentSchedule(description, connectedAt);
    const lateness = new Lateness(context);
    const peerEnd = awaitPeerEnd(socket);
    let cancel: (() => void) | undefined;
    const produce = (): void => {
      const now = context.clock.now();
      for (let segment = schedule.take(now); segment !== undefined; segment = schedule.take(now)) {
        lateness.segmentDue(segment.index, writer.backlog);
        writer.allow(segment.offset + segment.bytes);
      }
      if (schedule.done) writer.end();
      else cancel = context.clock.callAt(schedule.pollTimeout(), produce);
    };
    socket.on("finish", () => context.event("sending-ended", { bytes: writer.written }));
    produce();
    try {
      await peerEnd;
    } finally {
      cancel?.();
    }
    return { kind: "sender", bytes: writer.written, connectedAt };
  };
}

/** Tells when the connection begins to lag behind the producer, and when it has caught up; not each segment in between. */
class Lateness {
  readonly #context: RoleContext;
  #lateSegments = 0;

  constructor(context: RoleContext) {
    this.#context = context;
  }

  segmentDue(segment: number, backlogBytes: number): void {
    if (backlogBytes > 0) {
      this.#lateSegments += 1;
      if (this.#lateSegments === 1) this.#context.event("falls-behind", { segment, backlogBytes });
    } else if (this.#lateSegments > 0) {
      this.#context.event("catches-up", { segment, lateSegments: this.#lateSegments });
      this.#lateSegments = 0;
    }
  }
}

/** Feeds what arrives to a playback buffer; stalls are told as they begin and end. */
export function streamReceiver(description: StreamDescription): Role {
  return async (socket, connectedAt, context) => {
    const meter = new ArrivalMeter();
    const playback = new PlaybackBuffer({
      rateBitsPerSecond: description.rateBitsPerSecond,
      thresholdMicroseconds: description.playbackBufferMicroseconds,
      totalBytes: streamBytes(description),
    });
    let cancel: (() => void) | undefined;
    let stalledBefore = false;
    const observe = (): void => {
      const stalled = playback.state === "stalled";
      if (stalled !== stalledBefore) {
        if (stalled) context.event("stall-begun", { at: playback.stalledSince });
        else context.event("stall-ended", { ...playback.stalls.at(-1) });
      }
      stalledBefore = stalled;
    };
    const armTimer = (): void => {
      cancel?.();
      const timeout = playback.pollTimeout();
      if (timeout !== Infinity) cancel = context.clock.callAt(timeout, onTimer);
    };
    const onTimer = (): void => {
      playback.handleTimeout(context.clock.now());
      observe();
    };
    const onData = (bytes: number, now: number): void => {
      const startedBefore = playback.startedAt;
      playback.arrived(bytes, now);
      if (startedBefore === undefined && playback.startedAt !== undefined) context.event("playback-started");
      observe();
      armTimer();
    };
    const onEnd = (now: number): void => {
      playback.end(now);
      observe();
    };
    context.reportProgress((now) => ({
      bytes: meter.takeProgress(),
      playbackBufferMicroseconds: playback.levelMicroseconds(now),
    }));
    try {
      const result = await readPayload({ socket, connectedAt, context, onData, onEnd }, meter);
      return { ...result, playback: { startedAt: playback.startedAt ?? result.lastByteAt, stalls: playback.stalls } };
    } finally {
      cancel?.();
    }
  };
}
