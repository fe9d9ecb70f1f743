import type { BulkDescription } from "../protocol.ts";
import { ArrivalMeter } from "./arrival-meter.ts";
import { awaitPeerEnd, readPayload } from "./payload-reader.ts";
import { PayloadWriter } from "./payload-writer.ts";
import type { Role } from "./role.ts";

/** Sends `sizeBytes`, or for `durationMicroseconds` from the connection's begin; then half-closes and waits for the receiver's end. */
export function bulkSender(description: BulkDescription): Role {
  return async (socket, connectedAt, context) => {
    const writer = new PayloadWriter(socket, description.payloadSeed, context.clock);
    const peerEnd = awaitPeerEnd(socket);
    let cancel: (() => void) | undefined;
    if (description.sizeBytes !== undefined) {
      writer.allow(description.sizeBytes);
      writer.end();
    } else {
      cancel = context.clock.callAt(connectedAt + (description.durationMicroseconds ?? 0), () => writer.endNow());
      writer.allow(Infinity);
    }
    socket.on("finish", () => context.event("sending-ended", { bytes: writer.written }));
    try {
      await peerEnd;
    } finally {
      cancel?.();
    }
    return { kind: "sender", bytes: writer.written, connectedAt };
  };
}

export function bulkReceiver(): Role {
  return (socket, connectedAt, context) => {
    const meter = new ArrivalMeter();
    context.reportProgress(() => ({ bytes: meter.takeProgress() }));
    return readPayload({ socket, connectedAt, context }, meter);
  };
}
