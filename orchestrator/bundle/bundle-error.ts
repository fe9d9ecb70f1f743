/** `code` says which: `disk-full` and `unwritable` are the machine's fault (exit 3), `not-a-bundle` and `damaged` the directory's. */
export class BundleError extends Error {
  readonly code: "disk-full" | "unwritable" | "not-a-bundle" | "damaged";
  readonly path: string;

  constructor(code: BundleError["code"], path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BundleError";
    this.code = code;
    this.path = path;
  }
}

/** A failed write as a `BundleError` that says what a person can do about it. */
export function asWriteError(error: unknown, path: string): BundleError {
  if (error instanceof BundleError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new BundleError("disk-full", path, `${path}: no space left to write; what was written before is kept`, {
      cause: error,
    });
  }
  return new BundleError("unwritable", path, `${path}: cannot write: ${message}`, { cause: error });
}
