/** What of an application can only be judged over several places of the file. */
import { placeholders, placeholdersIn } from "./application.ts";
import { formatChoice, formatFound, suggestName } from "./diagnostics.ts";
import { isApplication, isOfOurStack } from "./experiment.ts";
import type { ApplicationWorkload, EndpointKind, Experiment, Workload } from "./experiment.ts";
import type { Complain, Complaint } from "./yaml-source.ts";

export function checkApplications(experiment: Experiment, complain: Complain): void {
  for (const [name, workload] of Object.entries(experiment.workload)) {
    if (!isApplication(workload)) continue;
    const path = ["workload", name];
    checkWords(workload, path, complain);
    checkFiles(workload, path, complain);
    checkEnds(workload, path, complain);
    checkEndpoints(name, workload, experiment, complain);
  }
}

function checkWords({ serve, run }: ApplicationWorkload, path: readonly string[], complain: Complain): void {
  for (const [side, program] of [
    ["serve", serve],
    ["run", run],
  ] as const) {
    for (const [index, word] of program.command.entries())
      checkPlaceholders(word, [...path, side, "command", index], complain);
    for (const [key, value] of Object.entries(program.environment))
      checkPlaceholders(value, [...path, side, "environment", key], complain);
  }
  for (const [name, file] of Object.entries(serve.files))
    if (file.kind === "text") checkPlaceholders(file.text, [...path, "serve", "files", name, "text"], complain);
}

function checkPlaceholders(word: string, path: Complaint["path"], complain: Complain): void {
  for (const name of placeholdersIn(word)) {
    if ((placeholders as readonly string[]).includes(name)) continue;
    complain({
      path,
      found: `$(${name})`,
      expected: formatChoice(placeholders.map((known) => `$(${known})`)),
      hint: suggestName(name, [...placeholders]),
    });
  }
}

function checkFiles({ serve, run, playback }: ApplicationWorkload, path: readonly string[], complain: Complain): void {
  const files = Object.entries(serve.files);
  const folders = files.flatMap(([name, { kind }]) => (kind === "hls" ? [name] : []));
  const known = files.map(([name, { kind }]) => (kind === "hls" ? `${name}/frames.md5` : name));
  for (const [received, source] of Object.entries(run.receives)) {
    if (known.includes(source)) continue;
    complain({
      path: [...path, "run", "receives", received],
      found: formatFound(source),
      expected: "a file of the server",
      hint: suggestName(source, known),
    });
  }
  if (playback === undefined || folders.includes(playback.video)) return;
  complain({
    path: [...path, "playback", "video"],
    found: formatFound(playback.video),
    expected: "a folder of the server with an HLS video",
    hint: suggestName(playback.video, folders),
  });
}

function checkEnds({ client, server, from }: ApplicationWorkload, path: readonly string[], complain: Complain): void {
  if (from === client || from === server) return;
  complain({
    path: [...path, "from"],
    found: formatFound(from),
    expected: formatChoice([client, server]),
    hint: "the bytes that count come from one of the two hosts",
  });
}

/** A host of our stack has a gateway for its applications, which has the host's addresses to itself. */
function checkEndpoints(name: string, workload: ApplicationWorkload, experiment: Experiment, complain: Complain): void {
  const { client, server } = workload;
  const kindOf = (host: string): EndpointKind =>
    experiment.hosts[host]?.endpoint ?? experiment.everyHost?.endpoint ?? "pathlab";
  if (client === server) return;
  for (const host of [client, server].filter((each) => isOfOurStack(kindOf(each)))) {
    const other = Object.entries(experiment.workload).find(
      ([, candidate]) => !isApplication(candidate) && hostsOf(candidate).includes(host),
    );
    if (other === undefined && Object.keys(experiment.traffic).length === 0) continue;
    complain({
      path: ["workload", name],
      at: "key",
      found:
        other === undefined ? "an application beside traffic" : `an application on ${host} beside transfer ${other[0]}`,
      expected: `nothing but applications on a ${kindOf(host)} host`,
      hint: "the gateway that carries applications has the host's addresses to itself; let the other one run on other hosts, or on the kernel's endpoints",
    });
    return;
  }
}

function hostsOf(workload: Workload): readonly string[] {
  return "from" in workload ? [workload.from, workload.to] : [workload.client, workload.server];
}
