/** The traces that a topology names: files are read once each, of those that are generated the mean is known. */
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Diagnostic } from "./diagnostics.ts";
import { linkCalibration } from "./link-calibrations.ts";
import type { LinkShape } from "./link-profile.ts";
import { readTrace, type TraceFile } from "./trace-file.ts";
import type { WrittenTopology } from "./topology-schema.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Where a link or a profile may name a trace. */
const sides: readonly (readonly string[])[] = [[], ["up"], ["down"]];

export interface TopologyTraces {
  readonly diagnostics: readonly Diagnostic[];
  /** A file that goes with the topology wherever that is taken: its name beside it, and its text. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** The topology's text with those names. */
  readonly text: string;
  /** Puts what the files hold into a shape that names them. */
  complete(shape: LinkShape): LinkShape;
}

export function readTraces({ links, profiles }: WrittenTopology, source: YamlSource): TopologyTraces {
  const diagnostics: Diagnostic[] = [];
  const traces = new Map<string, TraceFile & { readonly name: string }>();
  const places = [
    ...Object.entries(links).map(([name, { shape }]) => ({ path: ["links", name], shape })),
    ...Object.entries(profiles).map(([name, { shape }]) => ({ path: ["profiles", name], shape })),
  ];
  const written = new Set(
    places.flatMap(({ shape: { up, down } }) =>
      [up, down].flatMap(({ trace }) => (trace && "file" in trace ? trace.file : [])),
    ),
  );
  for (const file of written) {
    const path = isAbsolute(file) ? file : join(dirname(source.file), file);
    if (!existsSync(path)) {
      diagnostics.push(missingTrace(file, places, source));
      continue;
    }
    const read = readTrace(path);
    if (read.ok) traces.set(file, { ...read.value, name: `traces/${traces.size}-${basename(file)}` });
    else diagnostics.push(...read.diagnostics);
  }
  return {
    diagnostics,
    files: [...traces.values()].map(({ name, text }) => ({ name, text })),
    text:
      traces.size === 0 || diagnostics.length > 0
        ? source.text
        : textWithNames(
            source,
            places.map(({ path }) => path),
            traces,
          ),
    complete: ({ up, down }) => ({ up: completed(up, traces), down: completed(down, traces) }),
  };
}

/** Told where the topology names it: a file that is not there has no lines. */
function missingTrace(
  file: string,
  places: readonly { readonly path: readonly string[]; readonly shape: LinkShape }[],
  source: YamlSource,
): Diagnostic {
  const names = (shape: LinkShape): boolean =>
    [shape.up, shape.down].some(({ trace }) => trace !== undefined && "file" in trace && trace.file === file);
  const place = places.find(({ shape }) => names(shape))!.path;
  const keys = sides.map((side) => [...place, ...side, "trace"]);
  return source.diagnostic({
    path: keys.find((key) => source.document.getIn(key) === file) ?? place,
    found: `no file ${file}`,
    expected: "a trace",
    hint: "the path is relative to this file",
  });
}

function completed(direction: LinkShape["up"], traces: ReadonlyMap<string, TraceFile>): LinkShape["up"] {
  const { trace } = direction;
  if (trace === undefined) return direction;
  if ("generate" in trace)
    return { ...direction, rateBitsPerSecond: linkCalibration(trace.generate).meanBitsPerSecond };
  const read = traces.get(trace.file);
  if (read === undefined) return direction;
  const { opportunitiesMilliseconds, rateBitsPerSecond } = read;
  return { ...direction, rateBitsPerSecond, trace: { ...trace, opportunitiesMilliseconds } };
}

function textWithNames(
  source: YamlSource,
  places: readonly (readonly string[])[],
  traces: ReadonlyMap<string, { readonly name: string }>,
): string {
  const { document } = source;
  for (const place of places) {
    for (const side of sides) {
      const path = [...place, ...side, "trace"];
      const trace = traces.get(String(document.getIn(path)));
      if (trace !== undefined) document.setIn(path, trace.name);
    }
  }
  return source.toString();
}
