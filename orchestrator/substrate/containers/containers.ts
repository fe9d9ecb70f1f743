/**
 * Nodes as Docker containers: a host has files, processes and a network of its own, and no more rights than it needs. Docker gives them no network: links are
 * veth pairs as between namespaces, and all of a node's network is set up from outside, so that nothing inside needs the right to do it.
 */
import { existsSync } from "node:fs";
import {
  type Container,
  type DockerClient,
  dockerClient,
  dockerStatus,
  labLabel,
  nodeLabel,
} from "../../journal/docker-client.ts";
import type { Journal } from "../../journal/journal.ts";
import { isOfOurStack } from "../../model/experiment.ts";
import { programsOn } from "../../plan/application.ts";
import type { Plan, PlannedNode } from "../../plan/plan.ts";
import { type NodeHosting, raiseLab, settled } from "../linux/linux-lab.ts";
import { hostImage } from "../prerequisites/host-image.ts";
import { programDirectory } from "../prerequisites/programs.ts";
import { startInContainer } from "./container-process.ts";
import type { Lab, LabObserver, Substrate } from "../substrate.ts";
import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";

export const containers: Substrate = {
  name: "containers",
  up(plan: Plan, journal: Journal, observer: LabObserver, signal?: AbortSignal): Promise<Lab> {
    return raiseLab({ plan, journal, observer, hosting: new ContainerHosting(plan, journal) }, signal);
  },
};

interface RunningContainer {
  readonly container: Container;
  /** Of its first process, in the machine's numbering. */
  readonly pid: number;
}

class ContainerHosting implements NodeHosting {
  readonly #plan: Plan;
  readonly #journal: Journal;
  readonly #running = new Map<string, RunningContainer>();

  constructor(plan: Plan, journal: Journal) {
    this.#plan = plan;
    this.#journal = journal;
  }

  async create(nodes: readonly PlannedNode[], signal: AbortSignal): Promise<void> {
    const docker = await dockerClient();
    for (const { systemName } of nodes) this.#journal.append({ kind: "container", name: systemName });
    signal.throwIfAborted();
    await settled(nodes.map(async (node) => this.#running.set(node.name, await this.#start(docker, node))));
  }

  networkNamespace(node: PlannedNode): string {
    return `/proc/${this.#container(node).pid}/ns/net`;
  }

  spawn(node: PlannedNode, command: LabCommand, marks: Readonly<Record<string, string>>): Promise<LabProcess> {
    return startInContainer(this.#container(node).container, command, marks);
  }

  async #start(docker: DockerClient, node: PlannedNode): Promise<RunningContainer> {
    const directories = programsOn(this.#plan, node.name).map(({ directory }) => directory);
    try {
      const container = await docker.createContainer({
        name: node.systemName,
        Image: hostImage,
        Hostname: node.name,
        Labels: { [labLabel]: this.#journal.lab, [nodeLabel]: node.name },
        Cmd: ["sleep", "infinity"],
        HostConfig: {
          NetworkMode: "none",
          CapDrop: ["ALL"],
          CapAdd: [...capabilitiesOf(node), ...(directories.length > 0 ? applicationCapabilities : [])],
          Devices: node.gateway?.tun === undefined ? [] : [tunDevice],
          SecurityOpt: ["no-new-privileges"],
          ReadonlyRootfs: true,
          Tmpfs: { "/tmp": "", "/run": "" },
          // At the paths that they have outside, so that a command means the same on every substrate.
          Binds: [
            `${process.execPath}:${process.execPath}:ro`,
            `${programDirectory}:${programDirectory}:ro`,
            ...(directories.length > 0 ? machinePrograms() : []),
            ...directories.map((directory) => `${directory}:${directory}`),
          ],
        },
      });
      await container.start();
      const { State } = await container.inspect();
      if (!State.Running) throw new Error(`it ended at once with code ${State.ExitCode}: ${State.Error}`);
      return { container, pid: State.Pid };
    } catch (error) {
      const reason =
        dockerStatus(error) === 409 ? "its name is taken by a container that is not ours" : (error as Error).message;
      throw new Error(`cannot start the container ${node.systemName}: ${reason}`, { cause: error });
    }
  }

  #container(node: PlannedNode): RunningContainer {
    const running = this.#running.get(node.name);
    if (running === undefined) throw new Error(`the node ${node.name} does not run`);
    return running;
  }
}

/** Packet sockets for our stack, which owns its addresses; nothing for the kernel's endpoints and for routers. */
function capabilitiesOf(node: PlannedNode): string[] {
  return node.endpoint !== undefined && isOfOurStack(node.endpoint.kind) ? ["NET_RAW"] : [];
}

/** What servers need that begin as root and go on as somebody else, as nginx does; programs of users need none. */
const applicationCapabilities = ["CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "NET_BIND_SERVICE"];

const tunDevice = { PathOnHost: "/dev/net/tun", PathInContainer: "/dev/net/tun", CgroupPermissions: "rw" };

/** An application is a program of the machine: a host that runs one has the machine's programs, libraries and settings instead of the image's, to read. */
function machinePrograms(): string[] {
  return ["/usr", "/bin", "/lib", "/lib64", "/etc"]
    .filter((path) => existsSync(path))
    .map((path) => `${path}:${path}:ro`);
}
