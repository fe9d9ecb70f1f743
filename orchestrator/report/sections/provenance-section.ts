import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { Manifest } from "../../bundle/manifest.ts";
import { printSize } from "../../verdict/quantity.ts";

/** Where the figures are from, and how to get them again. */
export function provenanceSection({ machine, run, seeds, command, id }: Manifest): Html {
  const { pathlab, cpu } = machine;
  const commit =
    pathlab.gitCommit === null
      ? "not from a checkout"
      : `${pathlab.gitCommit.slice(0, 12)}${pathlab.gitDirty === true ? ", with uncommitted changes" : ""}`;
  const rows: [string, string][] = [
    ["pathlab", `${pathlab.version} (${commit})`],
    ["Node", machine.node],
    ["Kernel", machine.kernel],
    [
      "Machine",
      `${machine.hostname}: ${cpu.count} × ${cpu.model}, ${machine.architecture}, ${printSize(machine.memoryBytes)} of memory`,
    ],
    ["Run", `${run.startedAt} to ${run.endedAt}, ${run.ended}`],
    [
      "Seeds",
      [
        `experiment ${seeds.experiment}`,
        ...Object.entries(seeds.payload).map(([name, seed]) => `payload of ${name} ${seed}`),
      ].join(", "),
    ],
    ["Bundle", id],
  ];
  return html`<section id="provenance">
    <h2>Provenance</h2>
    <p>Run it again: <code class="command">./pathlab ${command.map(quoteForShell).join(" ")}</code></p>
    <p>Check that nothing was changed since: <code class="command">./pathlab bundle verify DIRECTORY</code></p>
    <div class="scroll">
      <table class="facts">
        <tbody>
          ${rows.map(
            ([name, value]) =>
              html`<tr>
                <th>${name}</th>
                <td>${value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <details>
      <summary>Settings of the machine's network stack, versions of packages</summary>
      <pre>
${[...Object.entries(machine.sysctls).map(([name, value]) => `${name} = ${value}`), "", ...Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`)].join("\n")}</pre>
    </details>
  </section>`;
}

function quoteForShell(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
