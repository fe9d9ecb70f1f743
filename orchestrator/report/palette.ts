/** A path has one colour in the whole page: charts, topology, tables. So has a run, where runs are compared. */
import type { RunView } from "./run-view.ts";
import { connectionsOf, seriesOf } from "./run-view.ts";

const pathColours = 6;
const runColours = 5;

export class Palette {
  readonly #paths: readonly string[];

  /** Paths in the order of the plan's links; those that carried subflows or are shaped. */
  constructor(runs: readonly RunView[]) {
    const carried = new Set(
      runs.flatMap((run) => [
        ...run.plan.workloads.flatMap((workload) =>
          connectionsOf(run, workload).flatMap(({ subflows }) => subflows.map(({ path }) => path)),
        ),
        ...seriesOf(run, "subflow").map(({ first }) => first.path),
      ]),
    );
    const [main] = runs;
    const shaped = main?.plan.links.filter(({ realisation }) => realisation !== "direct").map(({ name }) => name) ?? [];
    const links = main?.plan.links.map(({ name }) => name) ?? [];
    const wanted = new Set([...carried, ...shaped]);
    this.#paths = [
      ...links.filter((link) => wanted.has(link)),
      ...[...carried].filter((path) => !links.includes(path)).toSorted(),
    ];
  }

  /** Undefined for links that are no paths. */
  path(name: string): string | undefined {
    const index = this.#paths.indexOf(name);
    return index < 0 ? undefined : `--path-${index % pathColours}`;
  }

  run(index: number): string {
    return `--run-${index % runColours}`;
  }
}

export const neutralColour = "--neutral";
