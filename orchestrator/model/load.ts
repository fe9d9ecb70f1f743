/** From a file's name to a checked value: reading, YAML, schema, cross checks. All that is wrong is told at once; nothing is half-loaded. */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isModulePath } from "../../stack/endpoint/module-path.ts";
import { algorithmKeys, AlgorithmModules } from "./algorithm-module.ts";
import { resolveBaselines } from "./baselines.ts";
import type { BaselineExperiment } from "./baselines.ts";
import type { CheckedExperiment, LoadedTopology } from "./checked-experiment.ts";
import { takesModule } from "./endpoint-abilities.ts";
import { inFileOrder } from "./diagnostics.ts";
import type { Checked, Diagnostic } from "./diagnostics.ts";
import type { AlgorithmKey, AlgorithmModule, Experiment, HostSettings } from "./experiment.ts";
import { checkExperiment } from "./experiment-checks.ts";
import { expandTopology, type ExpandedTopology } from "./expand-topology.ts";
import { experimentSchema } from "./experiment-schema.ts";
import { isUnshaped, overlayShape, unshaped } from "./link-profile.ts";
import type { LinkProfile } from "./link-profile.ts";
import { profilesFileSchema } from "./link-shape-schema.ts";
import { checkSchema } from "./schema-diagnostics.ts";
import { applySettings } from "./settings.ts";
import { checkTopology } from "./topology-checks.ts";
import { readTraces, type TopologyTraces } from "./topology-traces.ts";
import { topologySchema } from "./topology-schema.ts";
import type { Topology, TopologyLink } from "./topology.ts";
import { YamlSource, type Complaint } from "./yaml-source.ts";

export interface LoadOptions {
  /** `KEY=VALUE`, put into the experiment file before it is checked. */
  readonly settings?: readonly string[];
  /** Default: the `topologies/profiles.yaml` that is shipped. */
  readonly profilesFile?: string;
}

export interface LoadedExperiment extends CheckedExperiment {
  readonly file: string;
  /** The file with the settings in it. */
  readonly text: string;
  readonly baselines: readonly BaselineExperiment[];
}

export type FileKind = "topology" | "experiment" | "profiles";

const shippedProfilesFile = fileURLToPath(new URL("../../topologies/profiles.yaml", import.meta.url));

function loadProfiles(file: string): Checked<Readonly<Record<string, LinkProfile>>> {
  const source = readSource(file);
  if (!source.ok) return source;
  const checked = checkSchema(profilesFileSchema, source.value);
  return checked.ok ? { ok: true, value: checked.value.profiles } : refuse(checked.diagnostics);
}

export function loadTopology(file: string, options: LoadOptions = {}): Checked<LoadedTopology> {
  const profiles = loadProfiles(options.profilesFile ?? relative(process.cwd(), shippedProfilesFile));
  if (!profiles.ok) return profiles;
  const source = readSource(file);
  if (!source.ok) return source;
  const checked = checkSchema(topologySchema, source.value);
  const diagnostics = checked.ok ? [] : [...checked.diagnostics];
  const written = checked.ok ? checked.value : checked.rest;
  const expanded = written && expandTopology(written);
  if (expanded) {
    // With two things of one name only one of them is there to be checked.
    const { complaints } =
      expanded.complaints.length > 0 ? expanded : { complaints: checkTopology(expanded.topology, profiles.value) };
    diagnostics.push(...complaints.map((complaint) => source.value.diagnostic(complaint)));
  }
  const traces = written && readTraces(written, source.value);
  diagnostics.push(...(traces?.diagnostics ?? []));
  if (!expanded || !traces || diagnostics.length > 0) return refuse(diagnostics);
  const topology = completeTopology(expanded.topology, profiles.value, traces);
  return { ok: true, value: { file, text: traces.text, files: traces.files, topology } };
}

export function loadExperiment(file: string, options: LoadOptions = {}): Checked<LoadedExperiment> {
  const source = readSource(file);
  if (!source.ok) return source;
  const malformed = applySettings(source.value, options.settings ?? []);
  if (malformed.length > 0) return refuse(malformed);
  const checked = checkExperimentSource(source.value, options);
  if (!checked.ok) return checked;
  const { experiment } = checked.value;
  const baselines = resolveBaselines(
    experiment,
    () => {
      const copy = new YamlSource(file, source.value.text);
      applySettings(copy, options.settings ?? []);
      return copy;
    },
    (copy) => checkExperimentSource(copy, options),
  );
  if (!baselines.ok) return refuse(baselines.diagnostics);
  const text = options.settings?.length ? source.value.toString() : source.value.text;
  return { ok: true, value: { file, text, ...checked.value, baselines: baselines.value } };
}

function checkExperimentSource(source: YamlSource, options: LoadOptions): Checked<CheckedExperiment> {
  const checked = checkSchema(experimentSchema, source);
  const diagnostics = checked.ok ? [] : [...checked.diagnostics];
  const written = checked.ok ? checked.value : checked.rest;
  if (!written) return refuse(diagnostics);
  const modules = new AlgorithmModules(source);
  const experiment = withModules(written, modules, (complaint) => diagnostics.push(source.diagnostic(complaint)));
  const topology = loadTopology(besideFile(source.file, experiment.topology), options);
  if (!topology.ok) diagnostics.push(...topology.diagnostics.map((diagnostic) => atTopologyKey(diagnostic, source)));
  const complaints = checkExperiment(experiment, topology.ok ? topology.value.topology : undefined);
  diagnostics.push(...complaints.map((complaint) => source.diagnostic(complaint)));
  return topology.ok && diagnostics.length === 0
    ? {
        ok: true,
        value: {
          experiment: spreadSettings(experiment, topology.value.topology),
          topology: topology.value,
          modules: modules.files,
          ...sourceServices(source, modules),
        },
      }
    : refuse(diagnostics);
}

/** The settings of hosts with the modules that they name. */
function withModules(
  experiment: Experiment,
  modules: AlgorithmModules,
  complain: (complaint: Complaint) => void,
): Experiment {
  const complete = (settings: HostSettings, path: readonly string[]): HostSettings => {
    const own: Partial<Record<AlgorithmKey, AlgorithmModule>> = {};
    for (const key of algorithmKeys) {
      if (!isModulePath(settings[key]) || !takesModule(settings.endpoint, key)) continue;
      const found = modules.find(settings[key], key);
      if ("javascript" in found) own[key] = found;
      else complain({ path: [...path, key], ...found });
    }
    return Object.keys(own).length === 0 ? settings : { ...settings, modules: own };
  };
  const hosts = Object.entries(experiment.hosts).map(
    ([name, host]) => [name, complete(host, ["hosts", name])] as const,
  );
  const { everyHost } = experiment;
  return {
    ...experiment,
    hosts: Object.fromEntries(hosts),
    ...(everyHost !== undefined && { everyHost: complete(everyHost, ["everyHost"]) }),
  };
}

/** `everyHost` in the place of each host that has no settings of its own. */
function spreadSettings(experiment: Experiment, topology: Topology): Experiment {
  const { everyHost } = experiment;
  if (everyHost === undefined) return experiment;
  const names = Object.keys(topology.hosts);
  return {
    ...experiment,
    hosts: Object.fromEntries(names.map((name) => [name, experiment.hosts[name] ?? everyHost])),
  };
}

function sourceServices(
  source: YamlSource,
  modules: AlgorithmModules,
): Pick<CheckedExperiment, "diagnose" | "textWith"> {
  return {
    diagnose: (complaint) => source.diagnostic(complaint),
    textWith: ({ endpoints = {}, ...settings }) => {
      const copy = new YamlSource(source.file, source.toString());
      for (const [host, endpoint] of Object.entries(endpoints)) {
        const named = copy.document.hasIn(["hosts", host]);
        copy.document.setIn(named ? ["hosts", host, "endpoint"] : ["everyHost", "endpoint"], endpoint);
      }
      for (const [key, value] of Object.entries(settings)) copy.document.set(key, value);
      modules.renameIn(copy.document);
      return copy.toString();
    },
  };
}

/** A path in a file is relative to that file, unless it is absolute. */
const besideFile = (file: string, path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));

/** A topology file that is not there is the experiment's mistake, and told at the key that names it. */
function atTopologyKey(diagnostic: Diagnostic, source: YamlSource): Diagnostic {
  if (diagnostic.found !== noFile) return diagnostic;
  return source.diagnostic({
    path: ["topology"],
    found: `no file ${diagnostic.file}`,
    expected: diagnostic.expected,
    hint: "the path is relative to this file",
  });
}

/** Any of the three kinds of file, with all the checks of its kind. */
export function loadFile(
  file: string,
  options: LoadOptions = {},
): Checked<LoadedExperiment | LoadedTopology | Readonly<Record<string, LinkProfile>>> {
  const kind = recogniseFile(file);
  if (!kind.ok) return kind;
  if (kind.value === "experiment") return loadExperiment(file, options);
  return kind.value === "topology" ? loadTopology(file, options) : loadProfiles(file);
}

/** The kind of a file by the keys at its top. */
export function recogniseFile(file: string): Checked<FileKind> {
  const source = readSource(file);
  if (!source.ok) return source;
  const value = source.value.value();
  const shape =
    value === null
      ? "an empty file"
      : Array.isArray(value)
        ? "a list"
        : "none of the keys workload, topology, links and profiles";
  const has = (key: string): boolean => typeof value === "object" && value !== null && Object.hasOwn(value, key);
  if (has("workload") || has("topology")) return { ok: true, value: "experiment" };
  if (has("links") || has("hosts") || has("generate")) return { ok: true, value: "topology" };
  if (has("profiles")) return { ok: true, value: "profiles" };
  return refuse([
    source.value.diagnostic({
      path: [],
      found: shape,
      expected: "an experiment, a topology or link profiles",
      hint: "an experiment has workload, a topology has links, a file of profiles has profiles",
    }),
  ]);
}

const noFile = "no file";

function readSource(file: string): Checked<YamlSource> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reasons: Readonly<Record<string, readonly [string, string]>> = {
      ENOENT: [noFile, "check the path"],
      EISDIR: ["a folder", "name a file in it"],
      EACCES: ["a file that may not be read", "check its permissions"],
    };
    const [found, hint] = reasons[code ?? ""] ?? [`a file that cannot be read (${code})`, "check the path"];
    return refuse([{ file, line: 1, column: 1, path: "file", found, expected: "a YAML file", hint }]);
  }
  const source = new YamlSource(file, text);
  const diagnostics = source.syntaxDiagnostics();
  return diagnostics.length > 0 ? refuse(diagnostics) : { ok: true, value: source };
}

const refuse = (diagnostics: readonly Diagnostic[]): { ok: false; diagnostics: readonly Diagnostic[] } => ({
  ok: false,
  diagnostics: inFileOrder(diagnostics),
});

/** Profiles looked up; links that ask for nothing are left without a shape. */
function completeTopology(
  written: ExpandedTopology,
  shipped: Readonly<Record<string, LinkProfile>>,
  traces: TopologyTraces,
): Topology {
  const profiles = { ...shipped, ...written.profiles };
  const links = Object.entries(written.links).map(([name, { shape: own, ...link }]): [string, TopologyLink] => {
    const shape = traces.complete(
      overlayShape(link.profile === undefined ? unshaped : profiles[link.profile]!.shape, own),
    );
    return [name, isUnshaped(shape) ? link : { ...link, shape }];
  });
  return { ...written, links: Object.fromEntries(links), profiles };
}
