/**
 * What can be left out of a case, each kind with its parts. A reduction knows nothing of what fails: it proposes, and a run decides. Cases that contradict themselves (a fault
 * on a link that is gone) are refused by the checks of every experiment, and so are no candidates.
 */
import { durationQuantity, formatQuantity, parseQuantity, sizeQuantity } from "../../model/units.ts";
import { listAt, mappingAt, pick, withKey, type Case, type Mapping } from "./case.ts";
import { minimise } from "./delta-debugging.ts";

export type StillFails = (candidate: Case) => Promise<boolean>;

export interface Reduction {
  /** In the plural, as in "2 of 7 faults are left". */
  readonly of: string;
  /** A case that still fails, and of which this reduction can leave out nothing more. */
  reduce(given: Case, stillFails: StillFails): Promise<Case>;
}

/** @param keep the case with these of its parts alone */
function partsReduction<Part>(
  of: string,
  parts: (given: Case) => readonly Part[],
  keep: (given: Case, kept: ReadonlySet<Part>) => Case,
): Reduction {
  return {
    of,
    async reduce(given, stillFails) {
      const kept = await minimise(parts(given), (some) => stillFails(keep(given, new Set(some))));
      return keep(given, new Set(kept));
    },
  };
}

const reduceExperiment = (given: Case, change: (experiment: Mapping) => Mapping): Case => ({
  ...given,
  experiment: change(given.experiment),
});

const faults = partsReduction(
  "faults",
  ({ experiment }) => [...listAt(experiment, "faults").keys()],
  (given, kept) =>
    reduceExperiment(given, (experiment) =>
      withKey(
        experiment,
        "faults",
        listAt(experiment, "faults").filter((_, index) => kept.has(index)),
      ),
    ),
);

/** But for the one that fails. */
const workloads = (failing: string | undefined): Reduction =>
  partsReduction(
    "workloads",
    ({ experiment }) =>
      ["workload", "traffic"].flatMap((kind) =>
        Object.keys(mappingAt(experiment, kind)).filter((name) => name !== failing),
      ),
    (given, kept) =>
      reduceExperiment(given, (experiment) =>
        ["workload", "traffic", "expect"].reduce(
          (reduced, kind) =>
            withKey(
              reduced,
              kind,
              pick(mappingAt(reduced, kind), (name) => name === failing || kept.has(name)),
            ),
          experiment,
        ),
      ),
  );

/** Keys that have a default: the settings of hosts and of the experiment. */
const settings = partsReduction(
  "settings",
  ({ experiment }) => settingPaths(experiment).map((path) => path.join(" ")),
  (given, kept) =>
    reduceExperiment(given, (experiment) =>
      settingPaths(experiment)
        .filter((path) => !kept.has(path.join(" ")))
        .reduce(withoutPath, experiment),
    ),
);

const topSettings = ["description", "duration", "metrics", "on", "baselines"];

function settingPaths(experiment: Mapping): string[][] {
  const hosts = Object.entries(mappingAt(experiment, "hosts")).flatMap(([host, keys]) =>
    Object.keys(keys as Mapping).map((key) => ["hosts", host, key]),
  );
  const every = Object.keys(mappingAt(experiment, "everyHost")).map((key) => ["everyHost", key]);
  return [...topSettings.filter((key) => key in experiment).map((key) => [key]), ...hosts, ...every];
}

function withoutPath(mapping: Mapping, [key, ...rest]: readonly string[]): Mapping {
  return withKey(mapping, key!, rest.length === 0 ? undefined : withoutPath(mappingAt(mapping, key!), rest));
}

const nodeKinds = ["hosts", "routers", "switches"] as const;

/** With a node go its links, the faults on them and its settings. */
const nodes = partsReduction(
  "nodes",
  ({ topology }) => nodeKinds.flatMap((kind) => Object.keys(mappingAt(topology, kind))),
  ({ experiment, topology }, kept) =>
    withoutLooseEnds({
      experiment,
      topology: nodeKinds.reduce(
        (reduced, kind) =>
          withKey(
            reduced,
            kind,
            pick(mappingAt(reduced, kind), (node) => kept.has(node)),
          ),
        topology,
      ),
    }),
);

const links = partsReduction(
  "links",
  ({ topology }) => Object.keys(mappingAt(topology, "links")),
  ({ experiment, topology }, kept) =>
    withoutLooseEnds({
      experiment,
      topology: withKey(
        topology,
        "links",
        pick(mappingAt(topology, "links"), (link) => kept.has(link)),
      ),
    }),
);

const nodeOf = (end: unknown): string =>
  typeof end === "string" ? end.split(":", 1)[0]! : ((end as Mapping)["node"] as string);

/** Takes out links without a node, nodes without a link, and what the experiment says of either. */
function withoutLooseEnds({ experiment, topology }: Case): Case {
  const there = new Set(nodeKinds.flatMap((kind) => Object.keys(mappingAt(topology, kind))));
  const linksLeft = pick(mappingAt(topology, "links"), (link) =>
    ((mappingAt(topology, "links")[link] as Mapping)["ends"] as unknown[]).every((end) => there.has(nodeOf(end))),
  );
  const joined = new Set(
    Object.values(linksLeft).flatMap((link) => ((link as Mapping)["ends"] as unknown[]).map(nodeOf)),
  );
  const reduced = nodeKinds.reduce(
    (left, kind) =>
      withKey(
        left,
        kind,
        pick(mappingAt(left, kind), (node) => joined.has(node)),
      ),
    withKey(topology, "links", linksLeft),
  );
  const isThere = ({ link, node }: Mapping): boolean =>
    link === undefined ? joined.has(node as string) : Object.hasOwn(linksLeft, link as string);
  return {
    experiment: withKey(
      withKey(experiment, "faults", listAt(experiment, "faults").filter(isThere)),
      "hosts",
      pick(mappingAt(experiment, "hosts"), (host) => joined.has(host)),
    ),
    topology: reduced,
  };
}

/** What a link does to packets, each direction's each way by itself; losses by number are told apart below. */
const shapes = partsReduction(
  "properties of links",
  ({ topology }) =>
    eachDirection(topology).flatMap(({ link, side, shape }) =>
      Object.keys(shape)
        .filter((key) => numbersOf(shape).length === 0 || key !== "loss")
        .map((key) => `${link} ${side} ${key}`),
    ),
  ({ experiment, topology }, kept) => ({
    experiment,
    topology: mapDirections(topology, (link, side, shape) =>
      pick(shape, (key) => kept.has(`${link} ${side} ${key}`) || (key === "loss" && numbersOf(shape).length > 0)),
    ),
  }),
);

const losses = partsReduction(
  "lost packets",
  ({ topology }) =>
    eachDirection(topology).flatMap(({ link, side, shape }) =>
      numbersOf(shape).map((number) => `${link} ${side} ${number}`),
    ),
  ({ experiment, topology }, kept) => ({
    experiment,
    topology: mapDirections(topology, (link, side, shape) => {
      const packets = numbersOf(shape);
      if (packets.length === 0) return shape;
      const left = packets.filter((number) => kept.has(`${link} ${side} ${number}`));
      return withKey(shape, "loss", left.length === 0 ? undefined : { packets: left });
    }),
  }),
);

interface Direction {
  readonly link: string;
  readonly side: "up" | "down";
  readonly shape: Mapping;
}

export function eachDirection(topology: Mapping): Direction[] {
  return Object.entries(mappingAt(topology, "links")).flatMap(([link, keys]) =>
    (["up", "down"] as const).map((side) => ({ link, side, shape: mappingAt(keys as Mapping, side) })),
  );
}

export function mapDirections(
  topology: Mapping,
  change: (link: string, side: "up" | "down", shape: Mapping) => Mapping,
): Mapping {
  const changed = Object.entries(mappingAt(topology, "links")).map(([link, keys]): [string, Mapping] => [
    link,
    (["up", "down"] as const).reduce(
      (shape, side) => withKey(shape, side, change(link, side, mappingAt(shape, side))),
      keys as Mapping,
    ),
  ]);
  return { ...topology, links: Object.fromEntries(changed) };
}

function numbersOf(shape: Mapping): readonly number[] {
  const loss = shape["loss"];
  return typeof loss === "object" ? (((loss as Mapping)["packets"] as readonly number[] | undefined) ?? []) : [];
}

/** Sizes, times and counts of workloads and whole numbers of a generator, each halved as long as the case still fails. */
const amounts: Reduction = {
  of: "amounts",
  async reduce(given, stillFails) {
    let reduced = given;
    for (const path of amountPaths(given)) {
      for (;;) {
        const candidate = halved(reduced, path);
        if (candidate === undefined || !(await stillFails(candidate))) break;
        reduced = candidate;
      }
    }
    return reduced;
  },
};

const amountKeys = ["size", "duration", "count"];

function amountPaths({ experiment, topology }: Case): string[][] {
  const generators = Object.entries(mappingAt(topology, "generate")).flatMap(([name, parameters]) =>
    Object.entries(parameters as Mapping)
      .filter(([, value]) => typeof value === "number")
      .map(([key]) => ["topology", "generate", name, key]),
  );
  const ofWorkloads = ["workload", "traffic"].flatMap((kind) =>
    Object.entries(mappingAt(experiment, kind)).flatMap(([name, keys]) =>
      amountKeys.filter((key) => key in (keys as Mapping)).map((key) => ["experiment", kind, name, key]),
    ),
  );
  return [...generators, ...ofWorkloads];
}

/** Undefined where it cannot be halved. */
function halved(given: Case, [file, ...path]: readonly string[]): Case | undefined {
  const change = (mapping: Mapping, [key, ...rest]: readonly string[]): Mapping | undefined => {
    if (rest.length > 0) {
      const inner = change(mappingAt(mapping, key!), rest);
      return inner && { ...mapping, [key!]: inner };
    }
    const half = halfOf(mapping[key!]);
    return half === undefined ? undefined : { ...mapping, [key!]: half };
  };
  const changed = change(given[file as keyof Case], path);
  return changed && { ...given, [file as keyof Case]: changed };
}

function halfOf(value: unknown): unknown {
  // A fat tree's k stays even.
  if (typeof value === "number")
    return value < 2 ? undefined : value > 4 ? 2 * Math.floor(value / 4) : Math.floor(value / 2);
  for (const quantity of [sizeQuantity, durationQuantity]) {
    const base = parseQuantity(quantity, String(value));
    if (base !== undefined) return base < 2 ? undefined : formatQuantity(quantity, Math.floor(base / 2));
  }
  return undefined;
}

/** In the order in which they are tried: what makes the next runs shorter comes first. */
export const reductionsOf = (failing: string | undefined): readonly Reduction[] => [
  settings,
  workloads(failing),
  faults,
  nodes,
  links,
  losses,
  shapes,
  amounts,
];
