/** Programs that nobody changed, one on each of two hosts: what an experiment says of them, in base units. */
import { formatEndpoint } from "../../stack/wire/ip-address.ts";

/** A program as it is started: no shell reads it. */
export interface Program {
  /** Words with `$(address)`, `$(port)` and `$(directory)` in them. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Files in its directory whose end goes into the bundle, as what it writes to its standard output and error does anyway. */
  readonly logs: readonly string[];
}

/** What lies in the directory of a server before it starts. */
export type ServedFile =
  | { readonly kind: "text"; readonly text: string }
  /** Bytes by the seed. */
  | { readonly kind: "random"; readonly sizeBytes: number }
  /** A folder: `index.m3u8`, its segments, and `frames.md5`, the list of its frames as ffmpeg decodes them. */
  | ({ readonly kind: "hls" } & HlsVideo);

export interface HlsVideo {
  readonly durationMicroseconds: number;
  /** Of the video; the container adds some 5 %. */
  readonly rateBitsPerSecond: number;
  readonly segmentMicroseconds: number;
}

export interface ServerProgram extends Program {
  readonly files: Readonly<Record<string, ServedFile>>;
}

export interface ClientProgram extends Program {
  /** File that the client writes ⇒ file of the server that it must be the same as. */
  readonly receives: Readonly<Record<string, string>>;
}

/** What a player makes of the bytes: its standard output is that of `ffmpeg -progress`. */
export interface Playback {
  /** The HLS folder of the server that is played. */
  readonly video: string;
  /** Media that a viewer lets gather before the first picture, and after each stall. */
  readonly bufferMicroseconds: number;
}

/** Words that a plan puts its own values in the place of, as in `http://$(address):$(port)/`. */
export const placeholders = ["address", "port", "directory"] as const;
export type Placeholder = (typeof placeholders)[number];

const placeholder = /\$\((\w+)\)/g;

export function placeholdersIn(word: string): string[] {
  return [...word.matchAll(placeholder)].map(([, name]) => name!);
}

/** An address of IPv6 stands in brackets where the port follows it (RFC 3986 §3.2.2). */
export function fillIn(word: string, values: Readonly<Record<Placeholder, string>>): string {
  const withAuthority = word.replaceAll("$(address):$(port)", formatEndpoint(values.address, Number(values.port)));
  return withAuthority.replaceAll(placeholder, (whole, name: string) => values[name as Placeholder] ?? whole);
}
