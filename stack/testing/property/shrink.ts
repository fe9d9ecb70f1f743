/** A scenario that fails, made as small as it can be and still fail in the same way. */

import { runScenario } from "./run-scenario.ts";
import { calmEnd, calmPath, type EndScenario, type PathScenario, type Scenario } from "./scenario.ts";

/** What went wrong, without the particulars that smaller scenarios change; undefined: nothing. */
export function failureOf(scenario: Scenario): string | undefined {
  try {
    runScenario(scenario);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.split(": client:")[0]!.replaceAll(/\d+/g, "n");
  }
}

export function shrink(scenario: Scenario): Scenario {
  const failure = failureOf(scenario);
  if (failure === undefined) return scenario;
  let smallest = scenario;
  for (let again = true; again;) {
    again = false;
    for (const candidate of smaller(smallest)) {
      if (failureOf(candidate) !== failure) continue;
      smallest = candidate;
      again = true;
      break;
    }
  }
  return smallest;
}

/** What is unlike the calm scenario: enough to write it down. */
export function differences(scenario: Scenario): object {
  return {
    seed: scenario.seed,
    ...(scenario.family === "ipv6" && { family: scenario.family }),
    ...(scenario.serverInterfaces === 2 && { serverInterfaces: 2 }),
    ...(scenario.paths.length > 0 && { paths: scenario.paths.map((path) => unlike(path, calmPath)) }),
    client: unlike(scenario.client, calmEnd),
    server: unlike(scenario.server, calmEnd),
    ...(scenario.faults.length > 0 && { faults: scenario.faults }),
  };
}

function unlike<T extends object>(value: T, calm: T): Partial<T> {
  const entries = Object.entries(value) as [keyof T, unknown][];
  return Object.fromEntries(
    entries.filter(([key, each]) => JSON.stringify(each) !== JSON.stringify(calm[key])),
  ) as Partial<T>;
}

function* smaller(scenario: Scenario): Generator<Scenario> {
  const { paths, faults, serverInterfaces } = scenario;
  if (scenario.family === "ipv6") yield { ...scenario, family: "ipv4" };
  if (serverInterfaces === 2) yield { ...scenario, serverInterfaces: 1 };
  for (let i = 0; i < faults.length; i++) yield { ...scenario, faults: without(faults, i) };
  for (let i = paths.length - 1; i >= 0 && paths.length > 1; i--) {
    const rest = faults.filter(({ path }) => path !== i).map((each) => moved(each, i));
    yield { ...scenario, paths: without(paths, i), faults: rest };
  }
  for (const [i, path] of paths.entries()) {
    for (const smallerPath of smallerPaths(path)) yield { ...scenario, paths: paths.with(i, smallerPath) };
  }
  for (const side of ["client", "server"] as const) {
    for (const end of smallerEnds(scenario[side])) yield { ...scenario, [side]: end };
  }
}

function* smallerPaths(path: PathScenario): Generator<PathScenario> {
  for (const direction of ["tamperingUp", "tamperingDown"] as const) {
    for (let i = 0; i < path[direction].length; i++) yield { ...path, [direction]: without(path[direction], i) };
  }
  for (const key of ["renumbers", "translates"] as const) if (path[key]) yield { ...path, [key]: false };
  for (const direction of ["up", "down"] as const) {
    if (JSON.stringify(path[direction]) === JSON.stringify(calmPath[direction])) continue;
    yield { ...path, [direction]: calmPath[direction] };
    for (const chance of ["loss", "duplicate", "reorder"] as const) {
      if ((path[direction][chance] ?? 0) > 0) yield { ...path, [direction]: { ...path[direction], [chance]: 0 } };
    }
    for (const [key, calm] of Object.entries(calmPath[direction])) {
      const value = path[direction][key as keyof typeof calmPath.up];
      if (value !== calm) yield { ...path, [direction]: { ...path[direction], [key]: calm } };
    }
  }
}

function* smallerEnds(end: EndScenario): Generator<EndScenario> {
  for (const key of Object.keys(calmEnd) as (keyof EndScenario)[]) {
    if (end[key] !== calmEnd[key]) yield { ...end, [key]: calmEnd[key] };
  }
  if (end.sends > 1) yield { ...end, sends: end.sends >> 1 };
  if (end.sends > 1) yield { ...end, sends: end.sends - 1 - (end.sends >> 3) };
}

function without<T>(list: readonly T[], index: number): T[] {
  return list.toSpliced(index, 1);
}

function moved<T extends { path: number }>(each: T, removed: number): T {
  return each.path > removed ? { ...each, path: each.path - 1 } : each;
}
