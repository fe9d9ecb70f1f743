/** `pathlab`: a file per verb. Exit codes: 0 pass, 1 an expectation failed, 2 usage or bad file, 3 the machine lacks something, 4 internal, 129/130/143 after clean-up. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { registerBundleCommand } from "./bundle.ts";
import { registerCleanCommand } from "./clean.ts";
import { registerCompareCommand } from "./compare.ts";
import { registerDoctorCommand } from "./doctor.ts";
import { registerEndpointCommand } from "./endpoint.ts";
import { registerPlanCommand } from "./plan.ts";
import { registerReportCommand } from "./report.ts";
import { registerDownCommand } from "./down.ts";
import { registerExecCommand } from "./exec.ts";
import { registerPsCommand } from "./ps.ts";
import { registerShellCommand } from "./shell.ts";
import { registerUpCommand } from "./up.ts";
import { repositoryRoot } from "./repository.ts";
import { registerRequirementsCommand } from "./requirements.ts";
import { registerRunCommand } from "./run.ts";
import { registerSchemaCommand } from "./schema.ts";
import { registerShrinkCommand } from "./shrink.ts";
import { registerTestCommand } from "./test.ts";
import { registerTraceCommand } from "./trace.ts";
import { registerValidateCommand } from "./validate.ts";

const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { version: string };

const program = new Command("pathlab")
  .description(
    "A Multipath TCP testbed: one experiment file, run on network namespaces, in containers and in a simulation",
  )
  .version(version)
  .exitOverride()
  .showHelpAfterError("(see `pathlab --help`)");

for (const register of [
  registerRunCommand,
  registerValidateCommand,
  registerPlanCommand,
  registerCompareCommand,
  registerShrinkCommand,
  registerReportCommand,
  registerBundleCommand,
  registerUpCommand,
  registerPsCommand,
  registerExecCommand,
  registerEndpointCommand,
  registerShellCommand,
  registerDownCommand,
  registerCleanCommand,
  registerDoctorCommand,
  registerSchemaCommand,
  registerTraceCommand,
  registerTestCommand,
  registerRequirementsCommand,
]) {
  register(program);
}

// Who read our output has had enough (`pathlab plan … | head`) or is gone with its terminal: that must not end a run before it has taken its lab down.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(
      `pathlab: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 4;
  }
}
