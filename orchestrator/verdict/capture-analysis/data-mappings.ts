/** The DSS mappings of one direction of a subflow (RFC 8684 §3.3): which bytes of the subflow are which bytes of the connection. */

interface Mapping {
  readonly subflowStart: number;
  readonly dataStart: number;
  length: number;
}

export interface MappedPiece {
  readonly subflowStart: number;
  readonly subflowEnd: number;
  /** Undefined: no mapping covers these bytes (yet). */
  readonly dataStart?: number;
}

/** Bytes of a subflow that were mapped, seen and are this far behind do not come again without a mapping of their own. */
const keepBytes = 4 * 1024 * 1024;

export class DataMappings {
  /** Ascending by start; a mapping that goes on where the last one ended is joined to it. */
  #mappings: Mapping[] = [];

  get isEmpty(): boolean {
    return this.#mappings.length === 0;
  }

  /** `length` may be infinite (§3.7). A repeated mapping changes nothing. */
  add(subflowStart: number, dataStart: number, length: number): void {
    const last = this.#mappings.at(-1);
    if (last === undefined || subflowStart > last.subflowStart + last.length) {
      this.#mappings.push({ subflowStart, dataStart, length });
      return;
    }
    if (subflowStart >= last.subflowStart && dataStart - last.dataStart === subflowStart - last.subflowStart) {
      last.length = Math.max(last.length, subflowStart + length - last.subflowStart);
      return;
    }
    const before = this.#indexOf(subflowStart);
    const covering = this.#mappings[before];
    const isRepeat = covering !== undefined && subflowStart + length <= covering.subflowStart + covering.length;
    if (!isRepeat) this.#mappings.splice(before + 1, 0, { subflowStart, dataStart, length });
  }

  /** Cuts [start, end) of the subflow into pieces, each covered by one mapping or by none. */
  resolve(start: number, end: number): MappedPiece[] {
    const pieces: MappedPiece[] = [];
    let at = start;
    for (let index = Math.max(0, this.#indexOf(start)); at < end; index++) {
      const mapping = this.#mappings[index];
      if (mapping === undefined || mapping.subflowStart >= end) {
        pieces.push({ subflowStart: at, subflowEnd: end });
        break;
      }
      const mappingEnd = mapping.subflowStart + mapping.length;
      if (mappingEnd <= at) continue;
      if (mapping.subflowStart > at) pieces.push({ subflowStart: at, subflowEnd: mapping.subflowStart });
      const pieceStart = Math.max(at, mapping.subflowStart);
      const pieceEnd = Math.min(end, mappingEnd);
      pieces.push({
        subflowStart: pieceStart,
        subflowEnd: pieceEnd,
        dataStart: mapping.dataStart + pieceStart - mapping.subflowStart,
      });
      at = pieceEnd;
    }
    return pieces;
  }

  /** Everything before `subflowOffset` has been seen: mappings far behind it are let go. */
  forgetBefore(subflowOffset: number): void {
    const isOld = (mapping: Mapping): boolean => mapping.subflowStart + mapping.length < subflowOffset - keepBytes;
    if (this.#mappings.length < 256 || !isOld(this.#mappings[127]!)) return;
    this.#mappings = this.#mappings.filter((mapping) => !isOld(mapping));
  }

  /** The last mapping that begins at or before the offset; -1 when there is none. */
  #indexOf(subflowOffset: number): number {
    let low = 0;
    let high = this.#mappings.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#mappings[middle]!.subflowStart <= subflowOffset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
