import type { Command } from "commander";
import { runInNode } from "./exec.ts";
import { nodeNamed } from "./lab-lookup.ts";

export function registerShellCommand(program: Command): void {
  program
    .command("shell")
    .description("open a shell inside a node of a lab")
    .argument("<lab>", "the lab's four digits, as `pathlab ps` shows them")
    .argument("<node>", "name of the node in the topology")
    .action(async (lab: string, name: string) => {
      const node = nodeNamed(lab, name);
      if (node === undefined) return;
      // A container has the image's shell only.
      const shell = node.kind === "namespace" ? (process.env["SHELL"] ?? "/bin/sh") : "/bin/sh";
      process.exitCode = await runInNode(node, [shell]);
    });
}
