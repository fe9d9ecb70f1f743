/** How files spell workloads of programs that nobody changed. */
import * as z from "zod";
import type { ServedFile } from "./application.ts";
import type { ApplicationWorkload } from "./experiment.ts";
import { duration, positiveDuration, rate, size, whole } from "./quantity-schemas.ts";
import { family } from "./workload-schema.ts";
import { expected } from "./schema-diagnostics.ts";

const wordsHint = "each word an item, as in [curl, --output, got, http://$(address):$(port)/file]: no shell reads it";

const command = z
  .array(z.string({ error: expected("a word", "quote what YAML reads as something else, as in '8080'") }), {
    error: expected("a list of words", wordsHint),
  })
  .min(1, { error: expected("a program and its arguments", wordsHint) })
  .transform((words) => words as [string, ...string[]])
  .describe("The program and its arguments, with $(address), $(port) and $(directory) in them.");

const environment = z
  .record(z.string(), z.string())
  .default({})
  .describe("Environment variables beside those of pathlab itself.");

/** Below the directory of the program, and never out of it. */
const fileName = z.string().regex(/^(?!.*(^|\/)\.\.?(\/|$))[\w.-]+(\/[\w.-]+)*$/, {
  error: expected("a name below the program's directory", "as in data/file.bin"),
});

const logs = z
  .array(fileName)
  .default([])
  .describe("Files that the program writes into its directory and that the bundle keeps.");

const served = z
  .strictObject({
    text: z.exactOptional(z.string().describe("The file's text; $(address), $(port) and $(directory) are filled in.")),
    random: z.exactOptional(size("So many bytes by the seed.")),
    hls: z.exactOptional(
      z
        .strictObject({
          duration: positiveDuration("Length of the video."),
          rate: rate("Bits of video a second."),
          segment: positiveDuration("Length of a segment.").default(1_000_000),
        })
        .describe("A folder with an HLS video that ffmpeg makes: index.m3u8, its segments, frames.md5."),
    ),
  })
  .superRefine((value, context) => {
    if (Object.keys(value).length !== 1)
      context.addIssue(expected("one of text, random and hls", "say what is in the file"));
  })
  .transform((value): ServedFile => {
    if (value.hls !== undefined) {
      const { duration: durationMicroseconds, rate: rateBitsPerSecond, segment: segmentMicroseconds } = value.hls;
      return { kind: "hls", durationMicroseconds, rateBitsPerSecond, segmentMicroseconds };
    }
    if (value.random !== undefined) return { kind: "random", sizeBytes: value.random };
    return { kind: "text", text: value.text ?? "" };
  });

export const application = z
  .strictObject({
    kind: z.literal("application"),
    client: z.string().describe("The host of the program that connects."),
    server: z.string().describe("The host of the program that listens."),
    from: z.exactOptional(z.string().describe("Where the bytes that count come from; the server when left out.")),
    serve: z
      .strictObject({
        command,
        environment,
        logs,
        files: z
          .record(fileName, served)
          .default({})
          .describe("What lies in the server's directory before it starts, by name."),
      })
      .describe("The program on the server; it must listen on $(port), on all addresses or on 127.0.0.1."),
    run: z
      .strictObject({
        command,
        environment,
        logs,
        receives: z
          .record(fileName, fileName)
          .default({})
          .describe(
            "Files that the client writes into its directory, and the server's files that they must be the same as.",
          ),
      })
      .describe("The program on the client; the workload is over when it ends."),
    timeout: positiveDuration("A client that takes longer is ended.").default(60_000_000),
    playback: z.exactOptional(
      z
        .strictObject({
          video: fileName.describe("The server's HLS folder that is played."),
          buffer: positiveDuration("Media that gathers before the first picture and after each stall.").default(
            2_000_000,
          ),
        })
        .transform(({ video, buffer }) => ({ video, bufferMicroseconds: buffer }))
        .describe("The client is a player; its standard output is that of ffmpeg -progress."),
    ),
    start: duration("When the client starts.").default(0),
    port: z.exactOptional(whole("Port of the server; chosen by the plan when left out.", 1, 65535)),
    family,
  })
  .transform((value): ApplicationWorkload => {
    const { client, server, from = server, serve, run, playback, port } = value;
    return {
      kind: "application",
      client,
      server,
      from,
      to: from === client ? server : client,
      serve,
      run,
      timeoutMicroseconds: value.timeout,
      startMicroseconds: value.start,
      ...(playback !== undefined && { playback }),
      ...(port !== undefined && { port }),
      ...(value.family !== undefined && { family: value.family }),
    };
  });
