import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import { buildAddon, buildPrograms, isAddonFresh, programFile } from "../substrate/prerequisites/programs.ts";

/** `pathlab endpoint VERB …`: the program that runs inside hosts, between this machine and another (docs/endpoint-program.md). */
export function registerEndpointCommand(program: Command): void {
  // Options after the verb are the endpoint's own.
  program
    .enablePositionalOptions()
    .command("endpoint")
    .summary("speak Multipath TCP from this machine: listen, connect, send, receive, serve, measure, gateway")
    .description(
      "Runs the endpoint program on this machine, with this terminal's input and output; its exit code is ours. " +
        "`pathlab endpoint help` tells its verbs.",
    )
    .passThroughOptions()
    .option("--write <file>", "instead write it as one file, to be copied to another machine")
    .argument("[arguments...]", "the endpoint's verb and its arguments")
    .action(async (args: string[], { write }: { write?: string }) => {
      if (write !== undefined) await writeProgram(resolve(write));
      else process.exitCode = await runEndpoint(args);
    });
}

async function writeProgram(file: string): Promise<void> {
  // esbuild is not for who runs experiments.
  const { buildDistributable } = await import("../../stack/endpoint/bundle/distributable.ts");
  process.stdout.write(`${file}: ${await buildDistributable(file)} bytes\n`);
}

/** Answers the exit code, 128 + n when signal n ended it. */
async function runEndpoint(args: readonly string[]): Promise<number> {
  await buildPrograms(["endpoint"]);
  if (!isAddonFresh()) buildAddon();
  const verb = args.length === 0 ? ["--help"] : args;
  const child = spawn(process.execPath, [programFile("endpoint"), ...verb], { stdio: "inherit" });
  // The terminal sends Ctrl-C to both of us, and it is meant for the endpoint, which says good-bye; what is sent to us alone it is told.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => void child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
