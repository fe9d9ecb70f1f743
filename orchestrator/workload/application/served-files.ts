/** What lies in a server's directory before it starts, and whether what came out at the client is the same. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Payload } from "../../../stack/endpoint/workload/payload.ts";
import type { PlannedApplication } from "../../plan/plan.ts";
import { hlsVideo } from "./hls-video.ts";
import type { ReceivedFile } from "./program-result.ts";

const logBytes = 1 << 20;

export async function placeFiles(
  { serve: { directory, files }, payloadSeed }: PlannedApplication,
  videoCache: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, file] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    if (file.kind === "text") await writeFile(path, file.text);
    else if (file.kind === "random") await writePayload(path, payloadSeed, file.sizeBytes);
    else await cp(await hlsVideo(file, videoCache, signal), path, { recursive: true });
  }
}

async function writePayload(path: string, seed: number, bytes: number): Promise<void> {
  await using file = await open(path, "w");
  for (const chunk of new Payload(seed).chunks(0, bytes)) await file.write(chunk);
}

export function receivedFiles({ serve, run }: PlannedApplication): Promise<ReceivedFile[]> {
  return Promise.all(
    Object.entries(run.receives).map(async ([name, source]): Promise<ReceivedFile> => {
      const wanted = (await fingerprint(join(serve.directory, source)))!;
      const got = await fingerprint(join(run.directory, name));
      return { name, source, sourceBytes: wanted.bytes, sourceSha256: wanted.sha256, ...got };
    }),
  );
}

/** The end of a log; undefined where there is no such file. */
export async function readLog(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(Math.min(size, logBytes)),
      position: Math.max(0, size - logBytes),
    });
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** Undefined where there is no such file. */
async function fingerprint(path: string): Promise<{ bytes: number; sha256: string } | undefined> {
  try {
    const { size: bytes } = await stat(path);
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    return { bytes, sha256: hash.digest("hex") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
