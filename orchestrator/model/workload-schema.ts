/** The transfers of pathlab's endpoint program as an experiment file says them. */
import * as z from "zod";
import type { BulkWorkload, RequestResponseWorkload, StreamWorkload } from "./experiment.ts";
import { addressFamilies } from "./ip-address.ts";
import { duration, positiveDuration, rate, size, whole } from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";

const hostName = (description: string) => z.string().describe(description);
const start = duration("When it starts.").default(0);
const port = z.exactOptional(whole("Port of the server; chosen by the plan when left out.", 1, 65535));
export const family = z.exactOptional(
  z
    .enum(addressFamilies)
    .describe("Of the address that the client connects to; of the server's first that it reaches when left out."),
);
const noDelay = z.exactOptional(
  z
    .boolean()
    .describe(
      "Small writes do not wait for the acknowledgement of earlier ones (TCP_NODELAY); of request-response by default.",
    ),
);

/** Exactly one of two keys must be there. */
function exactlyOne<Key extends string>(first: Key, second: Key) {
  return (value: { readonly [K in Key]?: unknown }, context: z.RefinementCtx): void => {
    if (value[first] !== undefined && value[second] !== undefined) {
      context.addIssue({
        code: "custom",
        path: [second],
        message: expected(`either ${first} or ${second}`, "both end the transfer; keep one of the two"),
      });
    }
    if (value[first] === undefined && value[second] === undefined) {
      context.addIssue({
        code: "custom",
        path: [first],
        message: expected(`either ${first} or ${second}`, "say when it ends"),
      });
    }
  };
}

export const bulk = z
  .strictObject({
    kind: z.literal("bulk"),
    from: hostName("The host that sends."),
    to: hostName("The host that receives."),
    client: z.exactOptional(hostName("Who opens the connection; the receiver when left out, as in a download.")),
    size: z.exactOptional(size("Bytes to send.")),
    duration: z.exactOptional(positiveDuration("How long to send.")),
    start,
    port,
    family,
    noDelay,
  })
  .superRefine(exactlyOne("size", "duration"))
  .transform((value): BulkWorkload => ({
    kind: "bulk",
    from: value.from,
    to: value.to,
    client: value.client ?? value.to,
    ...(value.size !== undefined && { sizeBytes: value.size }),
    ...(value.duration !== undefined && { durationMicroseconds: value.duration }),
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.family !== undefined && { family: value.family }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));

export const stream = z
  .strictObject({
    kind: z.literal("stream"),
    from: hostName("The host that sends."),
    to: hostName("The host that plays."),
    client: z.exactOptional(hostName("Who opens the connection; the receiver when left out.")),
    rate: rate("Payload bits a second."),
    segment: positiveDuration("Time of the stream in one segment.").default(100_000),
    playbackBuffer: positiveDuration("Playback starts, and resumes after a stall, with this much buffered.").default(
      2_000_000,
    ),
    duration: positiveDuration("Length of the stream."),
    start,
    port,
    family,
    noDelay,
  })
  .transform((value): StreamWorkload => ({
    kind: "stream",
    from: value.from,
    to: value.to,
    client: value.client ?? value.to,
    rateBitsPerSecond: value.rate,
    segmentMicroseconds: value.segment,
    playbackBufferMicroseconds: value.playbackBuffer,
    durationMicroseconds: value.duration,
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.family !== undefined && { family: value.family }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));

export const requestResponse = z
  .strictObject({
    kind: z.literal("request-response"),
    client: hostName("The host that asks."),
    server: hostName("The host that answers."),
    request: size("Bytes of a request."),
    response: size("Bytes of a response."),
    interval: positiveDuration("Time from one request to the next."),
    count: z.exactOptional(whole("How many requests.", 1, 1_000_000)),
    duration: z.exactOptional(positiveDuration("How long to ask.")),
    start,
    port,
    family,
    noDelay,
  })
  .superRefine(exactlyOne("count", "duration"))
  .transform((value): RequestResponseWorkload => ({
    kind: "request-response",
    client: value.client,
    server: value.server,
    requestBytes: value.request,
    responseBytes: value.response,
    intervalMicroseconds: value.interval,
    ...(value.count !== undefined && { count: value.count }),
    ...(value.duration !== undefined && { durationMicroseconds: value.duration }),
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.family !== undefined && { family: value.family }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));
