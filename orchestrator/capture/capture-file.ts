import { open, type FileHandle } from "node:fs/promises";

/** The disk is full, or the file cannot be written for another reason; what was written before is readable. */
export class CaptureFileError extends Error {
  override readonly name = "CaptureFileError";
  readonly code: string | undefined;

  constructor(file: string, kept: number, cause: NodeJS.ErrnoException) {
    const why = cause.code === "ENOSPC" ? "the disk is full" : cause.message;
    super(`cannot write the capture ${file}: ${why}; its first ${kept} bytes are kept and can be read`, { cause });
    this.code = cause.code;
  }
}

/** A file that grows by whole blocks: when a write fails in the middle of one, the part of it is taken away again. */
export class CaptureFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  #length = 0;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /** @throws CaptureFileError */
  static async create(file: string): Promise<CaptureFile> {
    try {
      return new CaptureFile(file, await open(file, "w"));
    } catch (error) {
      throw new CaptureFileError(file, 0, error as NodeJS.ErrnoException);
    }
  }

  /** Bytes of whole blocks. */
  get length(): number {
    return this.#length;
  }

  /** Appends whole blocks, all or none. @throws CaptureFileError */
  async append(blocks: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < blocks.length;) {
        const { bytesWritten } = await this.#handle.write(blocks, done, blocks.length - done, this.#length + done);
        done += bytesWritten;
      }
      this.#length += blocks.length;
    } catch (error) {
      await this.#handle.truncate(this.#length);
      throw new CaptureFileError(this.#file, this.#length, error as NodeJS.ErrnoException);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
