/** What is on the machine, as tests of clean-up see it; and things on it that are not ours. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dockerClient, labLabel } from "../journal/docker-client.ts";
import { labMark, markedProcesses } from "../journal/process-identity.ts";
import { runCommand } from "../journal/run-command.ts";
import { hostImage } from "./prerequisites/host-image.ts";

interface Squatter {
  make(name: string): Promise<unknown>;
  isThere(name: string): Promise<boolean>;
  remove(name: string): Promise<unknown>;
}

/** Somebody else's thing under the very name that a lab wants. */
export const squatters: Readonly<Record<string, Squatter>> = {
  namespaces: {
    make: (name) => runCommand(["ip", "netns", "add", name]),
    isThere: async (name) => existsSync(`/run/netns/${name}`),
    remove: (name) => runCommand(["ip", "netns", "del", name]),
  },
  containers: {
    make: async (name) => (await dockerClient()).createContainer({ name, Image: hostImage, Cmd: ["true"] }),
    isThere: async (name) => (await (await dockerClient()).getContainer(name).inspect()).Name === `/${name}`,
    remove: async (name) => (await dockerClient()).getContainer(name).remove(),
  },
};

/** Everything on the machine that carries the lab's mark. */
export async function remainsOf(lab: string): Promise<string[]> {
  const namespaces = existsSync("/run/netns")
    ? readdirSync("/run/netns").filter((name) => name.startsWith(`pl-${lab}-`))
    : [];
  const processes = processesOf(lab).map((pid) => `process ${pid}: ${commandOf(pid)}`);
  const directories = readdirSync("/tmp").filter((name) => name.startsWith(`pl-${lab}-`));
  const docker = await dockerClient();
  const containers = await docker.listContainers({
    all: true,
    filters: JSON.stringify({ label: [`${labLabel}=${lab}`] }),
  });
  return [...namespaces, ...processes, ...directories, ...containers.map(({ Names }) => Names.join())];
}

/** nginx writes its title, which has its arguments, over its environment. */
function processesOf(lab: string): number[] {
  const titled = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && commandOf(pid).includes(`pl-${lab}-`));
  return [...new Set([...markedProcesses({ [labMark]: lab }), ...titled])];
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
