/** What labs of namespaces and of containers share: a middle namespace, veth pairs, the configuration of each node, links and interfaces that change. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Journal } from "../../journal/journal.ts";
import { runCommand } from "../../journal/run-command.ts";
import { takeBack } from "../../journal/take-back.ts";
import { programsOn } from "../../plan/application.ts";
import type { Plan, PlannedNode, PlannedRoute } from "../../plan/plan.ts";
import type { Lab, LabObserver, LinkControl } from "../substrate.ts";
import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";
import { runInNamespace } from "./enter-namespace.ts";
import { PlannedLinks } from "./planned-links.ts";
import { marksOf, spawnInNamespace, spawnMarked } from "./marked-process.ts";
import { changeRoutesScript, interfaceUpScript, middleScript, nodeScript } from "./namespace-script.ts";
import { plannedInterface, vethLines } from "./veth.ts";

/** What differs: what a node is made of. */
export interface NodeHosting {
  /** Makes all nodes without any link, each journalled first. Nothing is under way any more when it returns or throws. */
  create(nodes: readonly PlannedNode[], signal: AbortSignal): Promise<void>;
  /** Path of the node's network namespace. */
  networkNamespace(node: PlannedNode): string;
  /** `marks` must be in the environment of the process from its first moment. */
  spawn(node: PlannedNode, command: LabCommand, marks: Readonly<Record<string, string>>): Promise<LabProcess>;
}

export interface LabParts {
  readonly plan: Plan;
  readonly journal: Journal;
  readonly observer: LabObserver;
  readonly hosting: NodeHosting;
}

/** @throws When anything fails or `signal` aborts: then everything was taken down again. */
export async function raiseLab(parts: LabParts, signal: AbortSignal = new AbortController().signal): Promise<Lab> {
  const lab = new LinuxLab(parts);
  try {
    await lab.raise(signal);
    return lab;
  } catch (error) {
    await lab.down();
    throw error;
  }
}

class LinuxLab implements Lab {
  readonly plan: Plan;
  readonly #parts: LabParts;
  readonly #middle: string;
  readonly #links: PlannedLinks;
  #spawned = 0;
  #down: Promise<void> | undefined;

  constructor(parts: LabParts) {
    if (parts.plan.lab !== parts.journal.lab) {
      throw new Error(`the plan is of lab ${parts.plan.lab}, the journal of lab ${parts.journal.lab}`);
    }
    this.plan = parts.plan;
    this.#parts = parts;
    this.#middle = `pl-${parts.plan.lab}-middle`;
    this.#links = new PlannedLinks(parts.plan, parts.observer);
  }

  get links(): LinkControl {
    return this.#links;
  }

  get #middlePath(): string {
    return `/run/netns/${this.#middle}`;
  }

  async raise(signal: AbortSignal): Promise<void> {
    const { plan, hosting, observer } = this.#parts;
    observer.progress(`creating ${plan.nodes.length} nodes`);
    await this.#makeDirectories();
    if (this.#hasMiddle()) await createNamespaces([this.#middle], this.#parts.journal, signal);
    await hosting.create(plan.nodes, signal);
    signal.throwIfAborted();

    observer.progress(`creating ${plan.links.length} links`);
    await runCommand(["ip", "-batch", "-"], {
      input: `${vethLines(plan, (node) => this.networkNamespace(node), this.#middlePath).join("\n")}\n`,
      signal,
    });
    await settled([
      ...plan.nodes.map((node, index) =>
        this.#configure(node.name, this.networkNamespace(node.name), nodeScript(node, processor(index)), signal),
      ),
      ...(this.#hasMiddle()
        ? [
            this.#configure(
              "middle",
              this.#middlePath,
              middleScript(this.#middleInterfaces(), processor(plan.nodes.length)),
              signal,
            ),
          ]
        : []),
    ]);
    signal.throwIfAborted();

    await this.#links.start({
      runInMiddle: (script) => runInNamespace(this.#middlePath, script, { signal, environment: this.#marks("links") }),
      spawnInMiddle: (command) => this.#spawnInMiddle(command),
    });
    signal.throwIfAborted();
  }

  /** Where applications run: what a node is made of shows it to them. */
  async #makeDirectories(): Promise<void> {
    for (const { directory: path } of this.plan.nodes.flatMap(({ name }) => programsOn(this.plan, name))) {
      this.#parts.journal.append({ kind: "directory", path });
      await mkdir(path);
    }
  }

  networkNamespace(node: string): string {
    return this.#parts.hosting.networkNamespace(this.#node(node));
  }

  async spawn(node: string, command: LabCommand): Promise<LabProcess> {
    const planned = this.#node(node);
    return this.#parts.hosting.spawn(planned, command, this.#journalledMarks(`${node}/${command.name}`));
  }

  spawnBeside(command: LabCommand): Promise<LabProcess> {
    return spawnMarked(command, this.#journalledMarks(`beside/${command.name}`));
  }

  async setInterface(node: string, interfaceName: string, state: "up" | "down"): Promise<void> {
    const planned = this.#node(node);
    plannedInterface(this.plan, { node, interface: interfaceName });
    const script = state === "up" ? interfaceUpScript(planned, interfaceName) : `ip link set dev ${interfaceName} down`;
    await this.#configure(node, this.networkNamespace(node), script);
  }

  async setRoutes(node: string, routes: readonly PlannedRoute[], gone: readonly string[]): Promise<void> {
    const script = changeRoutesScript({ ...this.#node(node), routes }, gone);
    await this.#configure(node, this.networkNamespace(node), script);
  }

  down(): Promise<void> {
    this.#down ??= this.#takeDown();
    return this.#down;
  }

  async #takeDown(): Promise<void> {
    this.#links.stop();
    await takeBack(this.#parts.journal);
  }

  async #configure(node: string, path: string, script: string, signal?: AbortSignal): Promise<void> {
    try {
      await runInNamespace(path, script, { environment: this.#marks(`${node}/configure`), ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      const { message, stderr } = error as { message: string; stderr?: string };
      throw new Error(`cannot configure the node ${node}: ${stderr?.trim() || message}`, { cause: error });
    }
  }

  #spawnInMiddle(command: LabCommand): Promise<LabProcess> {
    return spawnInNamespace(this.#middlePath, command, this.#journalledMarks(`middle/${command.name}`));
  }

  #journalledMarks(process: string): Record<string, string> {
    this.#spawned += 1;
    const name = `${process}/${this.#spawned}`;
    this.#parts.journal.append({ kind: "process", name });
    return this.#marks(name);
  }

  #marks(process: string): Record<string, string> {
    return marksOf(this.plan.lab, process);
  }

  #hasMiddle(): boolean {
    return this.plan.links.some(({ realisation }) => realisation !== "direct");
  }

  #middleInterfaces(): { name: string; offload: boolean }[] {
    return this.plan.links.flatMap((link) =>
      link.ends.flatMap((end) =>
        end.emulatorInterface === undefined
          ? []
          : [{ name: end.emulatorInterface, offload: plannedInterface(this.plan, end).offload }],
      ),
    );
  }

  #node(name: string): PlannedNode {
    const node = this.plan.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`the plan has no node ${name}`);
    return node;
  }
}

/** Namespaces by name, each journalled first, in one process. A name that is taken is refused before it gets into the journal, as it would then be taken back. */
export async function createNamespaces(names: readonly string[], journal: Journal, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const taken = names.find((name) => existsSync(`/run/netns/${name}`));
  if (taken !== undefined) throw new Error(`there is a network namespace ${taken} already, and it is not ours`);
  for (const name of names) journal.append({ kind: "namespace", name });
  await runCommand(["ip", "-batch", "-"], { input: names.map((name) => `netns add ${name}\n`).join(""), signal });
}

/** Waits for all of them even when one fails: what is still being made cannot be taken down. */
export async function settled<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(tasks);
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** Nodes take turns on the machine's processors. */
function processor(index: number): { processor: number } {
  return { processor: index % availableParallelism() };
}
