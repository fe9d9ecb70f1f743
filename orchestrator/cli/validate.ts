import type { Command } from "commander";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadFile } from "../model/load.ts";

/** `pathlab validate FILE…`: exit code 2 when a file has a problem, each problem on stderr. */
export function registerValidateCommand(program: Command): void {
  program
    .command("validate")
    .summary("check files without running anything")
    .description(
      "Checks experiments, topologies and link profiles, recognised by what is in them, and tells every problem with its place.",
    )
    .argument("<file...>", "YAML files")
    .option("--json", "print one JSON object a file")
    .action((files: string[], { json }: { json?: true }) => {
      for (const file of files) {
        const checked = loadFile(file);
        if (!checked.ok) process.exitCode = 2;
        if (json)
          process.stdout.write(
            `${JSON.stringify({ file, ok: checked.ok, diagnostics: checked.ok ? [] : checked.diagnostics })}\n`,
          );
        else if (checked.ok) process.stdout.write(`${file}: ok\n`);
        else process.stderr.write(formatDiagnostics(checked.diagnostics));
      }
    });
}
