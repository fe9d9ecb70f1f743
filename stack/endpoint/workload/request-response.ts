import { createHash } from "node:crypto";
import type { RequestResponseDescription, RequesterResult, ResponderResult } from "../protocol.ts";
import { ArrivalMeter } from "./arrival-meter.ts";
import { responseSeed } from "./payload.ts";
import { PayloadWriter } from "./payload-writer.ts";
import { RequestSchedule } from "./request-schedule.ts";
import { codedError, watchFailure, type Role } from "./role.ts";

/** Sends a request each interval without waiting, half-closes after the last, and reads until the responder's end. */
export function requester(description: RequestResponseDescription): Role {
  return (socket, connectedAt, context) => {
    const writer = new PayloadWriter(socket, description.payloadSeed, context.clock);
    const schedule = new RequestSchedule(description, connectedAt);
    const meter = new ArrivalMeter();
    const hash = createHash("sha256");
    let cancel: (() => void) | undefined;
    const send = (): void => {
      const now = context.clock.now();
      while (schedule.takeRequest(now) !== undefined) writer.allow(schedule.requests * description.requestBytes);
      if (schedule.allSent) writer.end();
      else cancel = context.clock.callAt(schedule.pollTimeout(), send);
    };
    context.reportProgress(() => ({ bytes: meter.takeProgress() }));
    return new Promise<RequesterResult>((resolve, reject) => {
      watchFailure(socket, (error) => {
        cancel?.();
        reject(error);
      });
      socket.on("data", (chunk: Uint8Array) => {
        const now = context.clock.now();
        meter.arrived(chunk.length, now);
        hash.update(chunk);
        try {
          schedule.responseArrived(chunk.length, now);
        } catch (error) {
          socket.destroy(codedError("EPROTO", (error as Error).message));
        }
      });
      socket.on("end", () => {
        cancel?.();
        context.event("end-of-data", { responses: schedule.responses });
        const { requests, responses, latenciesMicroseconds, longestGapMicroseconds, longestGapAt } = schedule;
        const sha256 = hash.digest("hex");
        resolve({
          kind: "requester",
          requests,
          responses,
          sha256,
          latenciesMicroseconds,
          longestGapMicroseconds,
          longestGapAt,
          connectedAt,
        });
      });
      send();
    });
  };
}

/** Answers each complete request with `responseBytes` of the response payload, at once and in order. */
export function responder(description: RequestResponseDescription): Role {
  return (socket, _connectedAt, context) => {
    const writer = new PayloadWriter(socket, responseSeed(description.payloadSeed), context.clock);
    const hash = createHash("sha256");
    let received = 0;
    return new Promise<ResponderResult>((resolve, reject) => {
      watchFailure(socket, reject);
      socket.on("data", (chunk: Uint8Array) => {
        received += chunk.length;
        hash.update(chunk);
        writer.allow(Math.floor(received / description.requestBytes) * description.responseBytes);
      });
      socket.on("end", () => {
        writer.end();
        const requests = Math.floor(received / description.requestBytes);
        context.event("end-of-data", { requests });
        resolve({ kind: "responder", requests, sha256: hash.digest("hex") });
      });
    });
  };
}
