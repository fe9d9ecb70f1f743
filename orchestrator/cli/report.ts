/** `pathlab report`: makes the page of a result bundle anew, from what the bundle holds. */
import type { Command } from "commander";
import { openBundle } from "../bundle/open-bundle.ts";
import { renderReports } from "../report/render-report.ts";
import { exitByBundleError } from "./bundle.ts";

export function registerReportCommand(program: Command): void {
  program
    .command("report")
    .summary("render the report of a bundle anew")
    .description(
      "Renders report.html of a result bundle and of its baselines and takes the new pages into the manifests; all other hashes stay those of the run.",
    )
    .argument("<directory>", "the bundle")
    .option("--json", "print the path of the page as JSON")
    .action((directory: string, { json }: { json?: true }) =>
      exitByBundleError(async () => {
        const { manifest } = await openBundle(directory);
        if (manifest.baseline !== undefined) {
          process.stderr.write(
            `pathlab: ${directory} is a baseline within a bundle, whose manifest holds its hashes: name the bundle itself\n`,
          );
          process.exitCode = 2;
          return;
        }
        const report = await renderReports(directory);
        process.stdout.write(json ? `${JSON.stringify({ report })}\n` : `${report}\n`);
      }),
    );
}
