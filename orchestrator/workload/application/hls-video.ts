/** A video as HTTP Live Streaming serves it (RFC 8216), made by ffmpeg once and kept: the same wish gives the same folder. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../journal/run-command.ts";
import type { HlsVideo } from "../../model/application.ts";
import type { VideoSegment } from "./program-result.ts";

const framesPerSecond = 25;

/**
 * A test picture with noise, as pictures that can be compressed to nothing do not reach a rate; the encoder holds the rate within half a second, so that a segment
 * is as long as the next. One thread and bit-exact formats: the same ffmpeg makes the same bytes.
 */
function encoderArguments({ durationMicroseconds, rateBitsPerSecond, segmentMicroseconds }: HlsVideo): string[] {
  const seconds = segmentMicroseconds / 1e6;
  const picturesInSegment = Math.max(1, Math.round(framesPerSecond * seconds));
  const source = `testsrc2=size=320x180:rate=${framesPerSecond}:duration=${durationMicroseconds / 1e6}`;
  const rate = String(rateBitsPerSecond);
  return [
    ["-f", "lavfi", "-i", source, "-vf", "noise=alls=12:allf=t", "-pix_fmt", "yuv420p"],
    ["-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"],
    ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", String(Math.ceil(rateBitsPerSecond / 2))],
    ["-x264-params", "nal-hrd=cbr:force-cfr=1", "-sc_threshold", "0"],
    ["-g", String(picturesInSegment), "-keyint_min", String(picturesInSegment)],
    ["-f", "hls", "-hls_time", String(seconds), "-hls_playlist_type", "vod"],
    ["-hls_segment_filename", "segment%04d.ts", "index.m3u8"],
  ].flat();
}

/** The folder below `cache` with the video; made if it is not there. Rejects with ffmpeg's own words. */
export async function hlsVideo(video: HlsVideo, cache: string, signal: AbortSignal): Promise<string> {
  const encoder = encoderArguments(video);
  const name = createHash("sha256").update(JSON.stringify(encoder)).digest("hex").slice(0, 16);
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    const ffmpeg = (words: readonly string[]): Promise<string> =>
      runCommand(["sh", "-c", 'cd "$1" && shift && exec ffmpeg -nostdin -loglevel error "$@"', "sh", draft, ...words], {
        signal,
      });
    await ffmpeg(encoder);
    await ffmpeg(["-i", "index.m3u8", "-f", "framemd5", "frames.md5"]);
    await rename(draft, folder);
  } catch (error) {
    // Somebody else has made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" || !existsSync(folder)) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

/** The segments that a media playlist names (RFC 8216 §4.3.2.1), in its order. */
export async function segmentsOf(folder: string): Promise<VideoSegment[]> {
  const lines = (await readFile(join(folder, "index.m3u8"), "utf8")).split("\n");
  const segments: VideoSegment[] = [];
  let microseconds = 0;
  for (const line of lines) {
    const [, seconds] = /^#EXTINF:([\d.]+),/.exec(line) ?? [];
    if (seconds !== undefined) microseconds = Math.round(Number(seconds) * 1e6);
    else if (line !== "" && !line.startsWith("#"))
      segments.push({ bytes: (await stat(join(folder, line))).size, microseconds });
  }
  return segments;
}
