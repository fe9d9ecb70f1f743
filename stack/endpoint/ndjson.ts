/** Newline-delimited JSON: lines out of chunks of bytes, however they were cut. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The lines that this chunk completes, without their ends; empty lines are left out. */
  push(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.filter((line) => line.trim() !== "");
  }

  /** What came after the last newline: a line that its writer did not finish. */
  get unfinished(): string {
    return this.#rest;
  }
}
