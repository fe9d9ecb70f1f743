/** Which data the bytes of a subflow are (RFC 8684 §3.3.1): the mappings that the peer has declared and the subflow has not yet consumed. */

export interface Mapping {
  /** Offset in the subflow's stream; the peer's SYN is 0, the first byte 1. */
  subflowStart: number;
  dataStart: number;
  length: number;
  /** -1: none. */
  checksum: number;
  /** The length that the option states: one more than `length` when DATA_FIN is included. The checksum covers it. */
  declaredLength: number;
}

/** More than a peer could need at once for one window; a flood of mappings ends here. */
const limit = 8192;
/** So many consumed ones may stand at the beginning of the array. */
const compactAt = 64;

export class MappingTable {
  /** In order from `#first` to `#end`; the array is used again from its beginning. */
  readonly #mappings: (Mapping | undefined)[] = [];
  #first = 0;
  #end = 0;
  readonly #pool: Mapping[] = [];

  /** Declares a mapping; repeated declarations are nothing new. False: it contradicts an earlier one, or there are too many. */
  add(subflowStart: number, dataStart: number, length: number, checksum: number, declaredLength: number): boolean {
    const mappings = this.#mappings;
    let at = this.#end;
    while (at > this.#first && mappings[at - 1]!.subflowStart > subflowStart) at--;
    const before = at > this.#first ? mappings[at - 1] : undefined;
    if (before !== undefined && before.subflowStart + before.length > subflowStart) {
      // Overlap is legal as long as the same byte keeps its number; what the earlier one covers needs no second entry.
      if (before.dataStart - before.subflowStart !== dataStart - subflowStart) return false;
      if (before.subflowStart + before.length >= subflowStart + length) return true;
      if (before.subflowStart === subflowStart) {
        before.length = length;
        before.checksum = checksum;
        before.declaredLength = declaredLength;
        return true;
      }
    }
    if (this.#end - this.#first >= limit) return false;
    const mapping = this.#pool.pop() ?? { subflowStart: 0, dataStart: 0, length: 0, checksum: -1, declaredLength: 0 };
    mapping.subflowStart = subflowStart;
    mapping.dataStart = dataStart;
    mapping.length = length;
    mapping.checksum = checksum;
    mapping.declaredLength = declaredLength;
    // Most follow the last one; `splice` makes an array each time.
    if (at === this.#end) mappings[at] = mapping;
    else mappings.splice(at, 0, mapping);
    this.#end++;
    return true;
  }

  /** The mapping that covers `offset`, or undefined. */
  find(offset: number): Mapping | undefined {
    const mappings = this.#mappings;
    for (let i = this.#first; i < this.#end; i++) {
      const mapping = mappings[i]!;
      if (mapping.subflowStart > offset) return undefined;
      if (mapping.subflowStart + mapping.length > offset) return mapping;
    }
    return undefined;
  }

  /** The known mappings are one piece of data, which has `dataStart` at `subflowStart`. */
  isOnePiece(subflowStart: number, dataStart: number): boolean {
    return this.#mappings.every(
      (mapping) => mapping === undefined || mapping.dataStart - dataStart === mapping.subflowStart - subflowStart,
    );
  }

  /** Everything before `offset` has been received in order: its mappings are done with. */
  consume(offset: number): void {
    const mappings = this.#mappings;
    while (this.#first < this.#end) {
      const mapping = mappings[this.#first]!;
      if (mapping.subflowStart + mapping.length > offset) break;
      this.#pool.push(mapping);
      mappings[this.#first++] = undefined;
    }
    if (this.#first === this.#end) {
      this.#first = 0;
      this.#end = 0;
    } else if (this.#first >= compactAt && 2 * this.#first >= this.#end) {
      mappings.copyWithin(0, this.#first, this.#end).fill(undefined, this.#end - this.#first);
      this.#end -= this.#first;
      this.#first = 0;
    }
  }
}
