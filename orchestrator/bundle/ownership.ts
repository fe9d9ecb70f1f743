/** What a run under sudo leaves belongs to the user who called sudo. */
import { lchown, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined unless we are root by sudo. */
export function sudoCaller(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number | undefined = process.getuid?.(),
): Owner | undefined {
  const owner = { uid: Number(environment["SUDO_UID"]), gid: Number(environment["SUDO_GID"]) };
  return uid === 0 && Number.isInteger(owner.uid) && Number.isInteger(owner.gid) ? owner : undefined;
}

/** The path and all below it; symbolic links themselves, never what they point to. */
export async function giveTo(owner: Owner, path: string): Promise<void> {
  await lchown(path, owner.uid, owner.gid);
  let entries;
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return;
    throw error;
  }
  for (const entry of entries) {
    const below = join(path, entry.name);
    await (entry.isDirectory() ? giveTo(owner, below) : lchown(below, owner.uid, owner.gid));
  }
}
