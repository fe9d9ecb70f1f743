/** What mutations begin with: frames that two hosts really exchange, scripts, lines. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { splitSegments } from "../segment-surgery.ts";
import { tcpStart } from "../wire-tap.ts";
import { addressesAt, converse, makePair, type PairOptions } from "../pair.ts";

/** Every kind of frame is among the first of a connection and around its end. */
const kept = 60;

function framesOf(options: PairOptions, split: boolean, remoteAddress?: string): Uint8Array[] {
  const pair = makePair(options);
  const frames: Uint8Array[] = [];
  const cut = splitSegments("both");
  for (const { up, down } of pair.network.attachments) {
    for (const pipe of [up, down]) {
      pipe.middlebox = (frame, now) => {
        frames.push(frame.slice());
        return split ? cut(frame, now) : true;
      };
    }
  }
  const { client, server } = converse(pair, 3_000, 3_000, { ...(remoteAddress !== undefined && { remoteAddress }) });
  pair.network.run(20_000_000, () => client.closed && server()?.closed === true);
  return [...frames.slice(0, kept), ...frames.slice(-kept)];
}

/** Over both families, with and without checksums, with joins and addresses, a plain and an aborted connection. */
export function realFrames(): Uint8Array[] {
  return [
    ...framesOf({ serverInterfaces: 2 }, false),
    ...framesOf({ client: { dssChecksum: true } }, true),
    ...framesOf({ client: { mptcp: false } }, false),
    ...framesOf({ clientFamilies: ["ipv6", "ipv6"], serverFamily: "ipv6" }, false, addressesAt(100, "ipv6")[0]),
  ];
}

function realScripts(): Uint8Array[] {
  const folder = join(import.meta.dirname, "../scripts");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".pkt"))
    .map((name) => readFileSync(join(folder, name)));
}

/** Inputs that a target of `targets.ts` takes without complaint. */
export function corpusFor(target: string): readonly Uint8Array[] {
  switch (target) {
    case "segment":
      return realFrames().map((frame) => frame.subarray(tcpStart));
    case "frame":
      return realFrames();
    case "script":
      return realScripts();
    default:
      return [Buffer.from(`{"do":"stop"}\n\n{"do":"start","host":"größe \u{1F680}"}\r\n[1,2`)];
  }
}
