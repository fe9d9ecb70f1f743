/** Baselines: the experiment's own file again, with the keys that each baseline sets and with its expectations. */
import { isMap, isNode, isScalar } from "yaml";
import { formatFound } from "./diagnostics.ts";
import type { Checked, Diagnostic } from "./diagnostics.ts";
import { isOffered } from "./endpoint-abilities.ts";
import { endpointKinds } from "./experiment.ts";
import type { EndpointKind, Experiment } from "./experiment.ts";
import type { CheckedExperiment } from "./checked-experiment.ts";
import { parseKeyPath } from "./settings.ts";
import type { YamlSource } from "./yaml-source.ts";

export interface BaselineExperiment extends CheckedExperiment {
  readonly name: string;
  readonly description?: string;
  /** The experiment file as it would be written for this baseline alone. */
  readonly text: string;
}

/**
 * @param open reads the experiment's file once more, settings included, since each baseline changes a copy of its own
 * @param check the checks of any experiment file
 */
export function resolveBaselines(
  experiment: Experiment,
  open: () => YamlSource,
  check: (source: YamlSource) => Checked<CheckedExperiment>,
): Checked<readonly BaselineExperiment[]> {
  const resolved: BaselineExperiment[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [name, { description }] of Object.entries(experiment.baselines)) {
    const source = open();
    const malformed = becomeBaseline(source, name);
    const checked = malformed.length > 0 ? undefined : check(source);
    if (checked?.ok)
      resolved.push({
        name,
        ...(description !== undefined && { description }),
        text: source.toString(),
        ...checked.value,
      });
    for (const diagnostic of checked?.ok === false ? checked.diagnostics : malformed) {
      diagnostics.push({
        ...diagnostic,
        path: diagnostic.path.startsWith("baselines.") ? diagnostic.path : `baselines.${name}.${diagnostic.path}`,
      });
    }
  }
  return diagnostics.length > 0 ? { ok: false, diagnostics } : { ok: true, value: resolved };
}

/** Changes the source from the experiment to one of its baselines. The values keep their places in the file. */
function becomeBaseline(source: YamlSource, name: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const path = ["baselines", name];
  const settings = source.nodeAt([...path, "set"]);
  const expect = source.nodeAt([...path, "expect"]);
  const keyPlaces = new Map(
    (isMap(settings) ? settings.items : []).map(({ key }) => [
      String(key),
      source.placeOf([...path, "set", String(key)], "key"),
    ]),
  );
  const expectPlace = source.placeOf([...path, "expect"], "key");
  source.remove(["baselines"]);
  source.remove(["expect"]);
  if (isNode(expect)) source.set(["expect"], expect, expectPlace);
  for (const { key, value } of isMap(settings) ? settings.items : []) {
    const written = isScalar(key) ? String(key.value) : String(key);
    const place = keyPlaces.get(written)!;
    const target = parseKeyPath(written);
    const refused = target?.[0] === "baselines" || target?.[0] === "expect";
    if (target && !refused && source.set(target, isNode(value) ? value : null, place)) continue;
    diagnostics.push({
      ...place,
      path: `baselines.${name}.set`,
      found: formatFound(written),
      expected: "a key of the experiment, as in hosts.phone.endpoint",
      hint: refused
        ? `a baseline's expectations stand under baselines.${name}.expect`
        : "it leads nowhere in this file",
    });
  }
  for (const written of keyPlaces.keys()) {
    const target = parseKeyPath(written);
    if (target?.at(-1) === "endpoint") dropInherited(source, target.slice(0, -1), new Set(keyPlaces.keys()));
  }
  return diagnostics;
}

/**
 * A baseline on another endpoint inherits the host's settings as far as that endpoint has them: a scheduler that is compared is no reason to refuse the plain
 * TCP beside it. What the baseline itself sets stays, and is checked.
 */
function dropInherited(source: YamlSource, host: readonly (string | number)[], own: ReadonlySet<string>): void {
  const settings = source.nodeAt(host);
  if (!isMap(settings)) return;
  const kind = settings.get("endpoint");
  if (!endpointKinds.includes(kind as EndpointKind)) return;
  for (const { key, value } of [...settings.items]) {
    const name = String(isScalar(key) ? key.value : key);
    if (own.has([...host, name].join("."))) continue;
    if (!isOffered(kind as EndpointKind, name, isScalar(value) ? value.value : value)) source.remove([...host, name]);
  }
}
