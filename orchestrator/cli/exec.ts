import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Command } from "commander";
import { marksOf } from "../substrate/linux/marked-process.ts";
import { type LabNode, nodeNamed } from "./lab-lookup.ts";

export function registerExecCommand(program: Command): void {
  // Options after the node's name are the command's own.
  program
    .enablePositionalOptions()
    .command("exec")
    .summary("run a command inside a node")
    .description("Runs a command inside a node of a lab, with this terminal's input and output; its exit code is ours.")
    .passThroughOptions()
    .argument("<lab>", "the lab's four digits, as `pathlab ps` shows them")
    .argument("<node>", "name of the node in the topology")
    .argument("<command...>", "program and its arguments")
    .action(async (lab: string, name: string, command: [string, ...string[]]) => {
      const node = nodeNamed(lab, name);
      if (node !== undefined) process.exitCode = await runInNode(node, command);
    });
}

/** Answers the exit code, 128 + n when signal n ended it. It ends with the lab at the latest. */
export function runInNode(node: LabNode, command: readonly [string, ...string[]]): Promise<number> {
  const marks = marksOf(node.lab, `${node.name}/exec/${process.pid}`);
  const [program, ...args] =
    node.kind === "namespace" ? insideNamespace(node, command) : insideContainer(node, command, marks);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...marks } });
    // The terminal sends Ctrl-C to both of us, and it is meant for the command.
    process.on("SIGINT", () => undefined);
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function insideNamespace({ systemName }: LabNode, command: readonly string[]): [string, ...string[]] {
  return ["ip", "netns", "exec", systemName, ...command];
}

function insideContainer(
  { systemName }: LabNode,
  command: readonly string[],
  marks: Readonly<Record<string, string>>,
): [string, ...string[]] {
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? ["--tty"] : [];
  const environment = Object.entries(marks).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return ["docker", "exec", "--interactive", ...terminal, ...environment, systemName, ...command];
}
