/**
 * What must hold for any bytes: each target takes some and throws when the code under it crashes, spins, grows or contradicts itself. They run under fast-check in
 * `parsers.test.ts`, and under a coverage-guided fuzzer by the files `*.fuzz.ts`.
 */

import { LineSplitter } from "../../endpoint/ndjson.ts";
import { checksumState } from "../../frame.ts";
import type { Host } from "../../host.ts";
import { tcpOptionsLength, writeTcp } from "../../wire/tcp-emit.ts";
import { parseTcp } from "../../wire/tcp-parse.ts";
import { TcpSegment } from "../../wire/tcp-segment.ts";
import { makePair, serverPort } from "../pair.ts";
import { parseScript } from "../packetdrill/parse-script.ts";
import { ScriptSyntaxError, ScriptUnsupported } from "../packetdrill/script-error.ts";

export type FuzzTarget = (bytes: Uint8Array) => void;

/** Frames that a host sends at once in answer to one: an answer, a question for a neighbour, and what that releases. */
const mostAnswers = 80;
/** 10,000 hostile frames leave no more than this: half-open connections of one backlog, and neighbours' questions. */
const mostHeld = 1_200;
const longestOptions = 40;

export const targets = {
  /** What was parsed comes back from the bytes that are written of it. */
  segment: (bytes) => {
    const parsed = new TcpSegment();
    if (!parse(parsed, bytes) || tcpOptionsLength(parsed) > longestOptions) return;
    const written = write(parsed);
    const again = new TcpSegment();
    expectThat(parse(again, written), "what was written is a segment");
    const [before, after] = [fieldsOf(parsed), fieldsOf(again)];
    expectThat(before === after, `the same segment:\n${before}\n${after}`);
    expectThat(
      Buffer.compare(written, write(again)) === 0,
      `the same options: ${Buffer.from(written).toString("hex")}`,
    );
  },

  /** Any frame may come, with a checksum that nobody has verified or that somebody vouches for. */
  frame: (() => {
    let host: Host | undefined;
    let now = 1_000_000;
    let frames = 0;
    return (bytes: Uint8Array): void => {
      if (host === undefined || frames++ % 2_000 === 0) host = listeningHost(now);
      now += 1_000;
      const checksum = frames % 2 === 0 ? checksumState.valid : checksumState.unverified;
      host.handleFrame(0, bytes, 0, bytes.length, checksum, now);
      let answers = 0;
      const sink = { transmit: (): void => void answers++ };
      host.pollTransmit(now, sink);
      host.deliverNotifications();
      if (host.pollTimeout() <= now) host.handleTimeout(now);
      host.pollTransmit(now, sink);
      while (host.pollEvent() !== undefined);
      expectThat(answers <= mostAnswers, `${answers} answers to one frame`);
      const held = Object.values(host.holdings).reduce((sum, count) => sum + count, 0);
      expectThat(held <= mostHeld, `the host holds ${JSON.stringify(host.holdings)}`);
    };
  })(),

  /** A text is a script, or an error tells where it is none. */
  script: (bytes) => {
    try {
      parseScript(new TextDecoder().decode(bytes), "fuzz.pkt");
    } catch (error) {
      if (!(error instanceof ScriptSyntaxError || error instanceof ScriptUnsupported)) throw error;
    }
  },

  /** Lines are the same however their bytes were cut. */
  lines: (bytes) => {
    const whole = new LineSplitter();
    const expected = [...whole.push(bytes), whole.unfinished];
    const pieces = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += 3) lines.push(...pieces.push(bytes.subarray(at, at + 3)));
    lines.push(pieces.unfinished);
    expectThat(JSON.stringify(lines) === JSON.stringify(expected), "the same lines");
  },
} satisfies Record<string, FuzzTarget>;

function parse(segment: TcpSegment, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return parseTcp(segment, bytes, view, 0, bytes.length);
}

function write(segment: TcpSegment): Uint8Array {
  const bytes = new Uint8Array(60);
  return bytes.subarray(0, writeTcp(segment, new DataView(bytes.buffer), 0));
}

/** What the wire says of the header and TCP's own options; fields of options that are not there keep what they were. */
function fieldsOf(segment: TcpSegment): string {
  const { sackEdges, sackCount, hasTimestamps, timestampValue, timestampEcho } = segment;
  const others = Object.entries(segment).filter(([, value]) => typeof value === "number" || typeof value === "boolean");
  const fields = Object.fromEntries(
    others.filter(([key]) => !key.startsWith("timestamp") && !key.startsWith("payload")),
  );
  const edges = [...sackEdges.subarray(0, 2 * sackCount)];
  return JSON.stringify({ ...fields, edges, timestamps: hasTimestamps && [timestampValue, timestampEcho] });
}

function listeningHost(now: number): Host {
  const { server } = makePair({ serverFamily: "both", server: { dssChecksum: true } });
  const listener = server.listen({ port: serverPort, backlog: 100 }, now);
  listener.onConnection = () => {
    for (let accepted = listener.accept(); accepted !== undefined; accepted = listener.accept()) {
      const connection = accepted;
      connection.observer = {
        onEstablished: () => {},
        onReadable: () => connection.read(now),
        onWritable: () => {},
        onRemoteEnd: () => connection.closeWrite(now),
        onClosed: () => {},
      };
    }
  };
  return server;
}

function expectThat(condition: boolean, expectation: string): void {
  if (!condition) throw new Error(expectation);
}
