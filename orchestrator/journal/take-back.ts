/**
 * Takes back what a lab created. Ordinary ends and recovery after a crash go the same way, so the way is trodden daily. Everything is named by the journal
 * AND must carry the lab's mark; everything may be gone already.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type DockerClient, dockerClient, dockerStatus, labLabel, nodeLabel, recipeLabel } from "./docker-client.ts";
import type { JournalEntry } from "./journal.ts";
import { type ProcessIdentity, labMark, markedProcesses, ownLineage, startTimeOf } from "./process-identity.ts";
import { runCommand } from "./run-command.ts";

export interface LabRecord {
  readonly lab: string;
  readonly owner: ProcessIdentity;
  readonly entries: readonly JournalEntry[];
}

export interface TakeBackOptions {
  /**
   * The owner died at a moment nobody knows, perhaps with a request to Docker on its way: a container that is not there may yet appear. Not needed while the
   * owner lives and has waited for its own requests.
   */
  readonly ownerDied?: boolean;
}

/**
 * Answers what was there and is gone now, in the words of `kind name`.
 * @throws When a journalled thing does not carry the lab's mark (then nothing is touched), or the machine refuses.
 */
export async function takeBack(record: LabRecord, options: TakeBackOptions = {}): Promise<string[]> {
  for (const entry of record.entries) assertOurs(record.lab, entry);
  const removed: string[] = [];
  removed.push(...(await endProcesses(record)));

  const containers = namesOf(record.entries, "container");
  if (containers.length > 0) {
    const docker = await dockerClient();
    const gone = await Promise.all(
      containers.map((name) => removeContainer(docker, record.lab, name, options.ownerDied === true)),
    );
    removed.push(...gone.flat());
  }
  removed.push(...(await removeNamespaces(namesOf(record.entries, "namespace"))));

  for (const entry of record.entries.toReversed()) {
    if ((entry.kind === "file" || entry.kind === "directory") && existsSync(entry.path)) {
      rmSync(entry.path, { recursive: entry.kind === "directory", force: true });
      removed.push(`${entry.kind} ${entry.path}`);
    }
  }
  return removed;
}

function namesOf(entries: readonly JournalEntry[], kind: "container" | "namespace"): string[] {
  return entries.flatMap((entry) => (entry.kind === kind ? [entry.name] : [])).toReversed();
}

/** The names that a lab may give: `pl-<lab>-…`. A file or a directory has it somewhere in its path. */
function assertOurs(lab: string, entry: JournalEntry): void {
  const prefix = `pl-${lab}-`;
  const ours =
    entry.kind === "process" ||
    (entry.kind === "file" || entry.kind === "directory"
      ? entry.path.startsWith("/") && entry.path.split("/").some((part) => part.startsWith(prefix))
      : entry.name.startsWith(prefix) && !entry.name.includes("/"));
  if (!ours)
    throw new Error(
      `the journal of lab ${lab} names a ${entry.kind} without the mark ${prefix}: ${JSON.stringify(entry)}`,
    );
}

async function endProcesses(record: LabRecord): Promise<string[]> {
  const ended: string[] = [];
  const namespaces = namesOf(record.entries, "namespace");
  // One that is being forked while we look carries the mark when we look again.
  for (;;) {
    const pids = new Set([
      ...markedProcesses({ [labMark]: record.lab }, record.owner.startTime),
      ...processesInside(namespaces, record.owner.startTime),
    ]);
    if (pids.size === 0) return ended;
    await killAndWait([...pids]);
    for (const pid of pids) ended.push(`process ${pid}`);
  }
}

/** What runs in a namespace of the lab is of the lab, whatever its environment says: it would keep the namespace and its links alive. */
function processesInside(namespaces: readonly string[], notBefore: number): number[] {
  const inodes = new Set<number>();
  for (const name of namespaces) {
    const status = statSync(`/run/netns/${name}`, { throwIfNoEntry: false });
    if (status !== undefined) inodes.add(status.ino);
  }
  const own = statSync("/proc/self/ns/net").ino;
  inodes.delete(own);
  if (inodes.size === 0) return [];
  const spared = ownLineage();
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || spared.has(pid)) return [];
    let inode: number | undefined;
    try {
      inode = statSync(`/proc/${pid}/ns/net`, { throwIfNoEntry: false })?.ino;
    } catch {
      return [];
    }
    const startTime = startTimeOf(pid);
    return inode !== undefined && inodes.has(inode) && startTime !== undefined && startTime >= notBefore ? [pid] : [];
  });
}

/** Returns when none of them holds anything any more. A pid is signalled only while it is the process that was found. */
export async function killAndWait(pids: readonly number[]): Promise<void> {
  const found = pids.map((pid) => ({ pid, startTime: startTimeOf(pid) }));
  for (const { pid, startTime } of found) {
    if (startTime === undefined) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  while (found.some(({ pid, startTime }) => startTime !== undefined && startTimeOf(pid) === startTime)) await pause(2);
}

async function removeNamespaces(names: readonly string[]): Promise<string[]> {
  const present = names.filter((name) => existsSync(`/run/netns/${name}`));
  if (present.length === 0) return [];
  await runCommand(["ip", "-batch", "-"], { input: present.map((name) => `netns del ${name}\n`).join("") });
  return present.map((name) => `namespace ${name}`);
}

async function removeContainer(docker: DockerClient, lab: string, name: string, mayAppear: boolean): Promise<string[]> {
  for (;;) {
    const container = docker.getContainer(name);
    try {
      const { Config } = await container.inspect();
      if (Config.Labels?.[labLabel] !== lab) return [];
      await container.remove({ force: true, v: true });
      return [`container ${name}`];
    } catch (error) {
      const status = dockerStatus(error);
      if (status === 404) {
        if (!mayAppear || (await reserveName(docker, lab, name))) return [];
      } else if (status !== 409) {
        throw new Error(`cannot remove the container ${name}: ${(error as Error).message}`, { cause: error });
      }
      // 409: the daemon is still making it, or already removing it.
      await pause(20);
    }
  }
}

/**
 * Docker reserves a name as the first act of creating a container: if we get it, nobody else's request is under way, and what we made is removed again;
 * false when the name is taken by a creation that is not finished.
 */
async function reserveName(docker: DockerClient, lab: string, name: string): Promise<boolean> {
  const [image] = await docker.listImages({ filters: JSON.stringify({ label: [recipeLabel] }) });
  // Without an image of ours no container of ours can be in the making.
  if (image === undefined) return true;
  try {
    const placeholder = await docker.createContainer({
      name,
      Image: image.Id,
      Labels: { [labLabel]: lab, [nodeLabel]: "placeholder" },
      HostConfig: { NetworkMode: "none" },
      Cmd: ["true"],
    });
    await placeholder.remove({ force: true });
    return true;
  } catch (error) {
    if (dockerStatus(error) === 409) return false;
    throw error;
  }
}
