/**
 * Which bytes of the connection went over which path, by the mappings on the wire. Under load either side may time out and send again over another path
 * (RFC 8684 §3.3.6): a path that is not to be used is one that carries nothing that its neighbours have not carried as well.
 */

import type { Fabric, Role } from "./fabric.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";

/** Data offsets from the sender's first mapping, the end excluded. */
interface Range {
  readonly start: number;
  readonly end: number;
}

interface Way {
  /** Low half of the first data sequence number that was seen. */
  base: number | undefined;
  /** Behind everything that had been sent when `mark` was called. */
  mark: number;
  /** By the index of the client's interface. */
  readonly paths: Map<number, Range[]>;
}

export class CarriedBytes {
  readonly #ways: Readonly<Record<Role, Way>> = {
    client: { base: undefined, mark: 0, paths: new Map() },
    server: { base: undefined, mark: 0, paths: new Map() },
  };

  /** To be made before the connection is, so that nothing passes unseen. */
  constructor(fabric: Fabric) {
    fabric.rule(({ from, to, segment: { mptcp, payloadLength } }) => {
      if (payloadLength === 0 || !mptcp.has(mptcpPresent.dss) || !mptcp.hasMapping) return true;
      const way = this.#ways[from.role];
      way.base ??= mptcp.dataSequenceLow;
      const start = (mptcp.dataSequenceLow - way.base) | 0;
      rangesOf(way, (from.role === "client" ? from : to).index).push({ start, end: start + mptcp.dataLength });
      return true;
    });
  }

  /** What has been sent so far counts no more, nor does its retransmission. */
  mark(): void {
    for (const way of Object.values(this.#ways))
      for (const ranges of way.paths.values()) for (const { end } of ranges) way.mark = Math.max(way.mark, end);
  }

  /** Bytes, of both directions, that this path alone has carried since `mark`. */
  onlyOver(path: number): number {
    return Object.values(this.#ways)
      .map((way) => {
        const others = [...way.paths].flatMap(([index, ranges]) => (index === path ? [] : ranges));
        const judged = rangesOf(way, path).filter(({ start }) => start >= way.mark);
        return sizeOf([...others, ...judged]) - sizeOf(others);
      })
      .reduce((sum, bytes) => sum + bytes, 0);
  }
}

function rangesOf({ paths }: Way, path: number): Range[] {
  const known = paths.get(path);
  if (known !== undefined) return known;
  const ranges: Range[] = [];
  paths.set(path, ranges);
  return ranges;
}

/** Of the union. */
function sizeOf(ranges: readonly Range[]): number {
  let size = 0;
  let covered = Number.NEGATIVE_INFINITY;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    if (end <= covered) continue;
    size += end - Math.max(start, covered);
    covered = end;
  }
  return size;
}
