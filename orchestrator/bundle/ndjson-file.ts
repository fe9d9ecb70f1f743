/** One growing file of JSON lines. Lines are gathered and written in order; a failed write is kept and told once to whoever asks. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileHandle } from "node:fs/promises";
import { asWriteError } from "./bundle-error.ts";
import type { BundleError } from "./bundle-error.ts";

const flushAtBytes = 64 * 1024;

export class NdjsonFile {
  readonly path: string;
  /** undefined: it is not open yet, or could not be opened. */
  #file: FileHandle | undefined;
  readonly #prefix: string;
  readonly #onFailure: (error: BundleError) => void;
  #pending: string[] = [];
  #pendingLength = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: BundleError | undefined;

  private constructor(
    path: string,
    file: FileHandle | undefined,
    onFailure: (error: BundleError) => void,
    prefix = "",
  ) {
    this.path = path;
    this.#file = file;
    this.#onFailure = onFailure;
    this.#prefix = prefix;
  }

  /** As `create`, but the file and its directory are made while lines are gathered; that they cannot be is a failure to write. `prefix`: before each line. */
  static openLater(path: string, onFailure: (error: BundleError) => void, prefix: string): NdjsonFile {
    const file = new NdjsonFile(path, undefined, onFailure, prefix);
    file.#writing = file.#open();
    return file;
  }

  /** `onFailure` is called at most once, at the first write that fails; lines after it are dropped. Throws `BundleError` when the file cannot be made. */
  static async create(path: string, onFailure: (error: BundleError) => void): Promise<NdjsonFile> {
    try {
      return new NdjsonFile(path, await open(path, "a"), onFailure);
    } catch (error) {
      throw asWriteError(error, path);
    }
  }

  append(record: object): void {
    const line = `${this.#prefix}${JSON.stringify(record)}\n`;
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength >= flushAtBytes) void this.flush();
  }

  /** Resolves when all lines so far are in the file, or the file has failed. Never rejects. */
  flush(): Promise<void> {
    if (this.#pending.length > 0) {
      const text = this.#pending.join("");
      this.#pending = [];
      this.#pendingLength = 0;
      this.#writing = this.#writing.then(() => this.#write(text));
    }
    return this.#writing;
  }

  /** Throws the failure that the file met, if any; the file is closed in any case. */
  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #open(): Promise<void> {
    try {
      await mkdir(dirname(this.path), { recursive: true });
      this.#file = await open(this.path, "a");
    } catch (error) {
      this.#fail(error);
    }
  }

  async #write(text: string): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#file?.appendFile(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure = asWriteError(error, this.path);
    this.#onFailure(this.#failure);
  }
}
