/**
 * Folders down to one, as `mkdir -p` makes them. Node's own `recursive` turns for ever where the file system takes no folder and says ENOENT (/proc), and says ENOENT
 * of one that is read-only.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Answers the topmost that had to be made. Throws what the file system says of the first that it refuses. */
export async function makeFolders(directory: string): Promise<string | undefined> {
  if (await isThere(directory)) return undefined;
  const madeAbove = await makeFolders(dirname(directory));
  try {
    await mkdir(directory);
  } catch (error) {
    // Another run makes folders beside this one.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return madeAbove;
  }
  return madeAbove ?? directory;
}

async function isThere(path: string): Promise<boolean> {
  if (path === dirname(path)) return true;
  return stat(path).then(
    () => true,
    () => false,
  );
}
