import type { LinkDirectionConfig } from "../link-direction.ts";
import {
  isWithinTolerance,
  measureDirection,
  tolerance,
  type DirectionMeasurement,
  type MeasuredFigures,
} from "./measurement.ts";
import { ProbePath, type MeasuredEnd } from "./probe-path.ts";
import { RateBudget } from "./rate-budget.ts";

export type MeasuredLink = {
  name: string;
  /** The hosts' ends; `forward` runs from the first to the second. */
  ends: readonly [MeasuredEnd, MeasuredEnd];
  forward: LinkDirectionConfig;
  backward: LinkDirectionConfig;
};

/** What all measurements that run at once may send together: more would measure this machine instead of the links. */
const budgetBitsPerSecond = 100e6;

/**
 * Measures both directions of links with raw frames that no host answers, many at once as far as the machine carries
 * it. A direction out of tolerance is measured again, because a busy machine disturbs; every attempt is told.
 *
 * @param attempts how often at most
 * @param onMeasured is told of each direction when it is done
 * @throws Error with a code when an interface or namespace is not there or goes down
 */
export async function measureLinks(
  links: readonly MeasuredLink[],
  attempts = 3,
  onMeasured: (measurement: DirectionMeasurement) => void = () => {},
): Promise<DirectionMeasurement[]> {
  const jobs: Job[] = [];
  const results: DirectionMeasurement[] = [];
  const budget = new RateBudget(budgetBitsPerSecond);
  const running: Promise<void>[] = [];
  try {
    // All sockets first: opening one takes milliseconds, which the sender of a train does not have.
    for (const link of links) {
      const [first, second] = link.ends;
      jobs.push({ link, direction: "forward", path: new ProbePath(first, second) });
      jobs.push({ link, direction: "backward", path: new ProbePath(second, first) });
    }
    for (const [index, job] of jobs.entries()) {
      const weight = Math.min(budgetBitsPerSecond, job.link[job.direction].rateBitsPerSecond ?? 0);
      await budget.acquire(weight);
      const run = async () => {
        results[index] = await measureRepeatedly(job, attempts);
        onMeasured(results[index]);
        budget.release(weight);
      };
      running.push(run());
    }
    await Promise.all(running);
    return results;
  } finally {
    for (const { path } of jobs) path.close();
  }
}

type Job = { link: MeasuredLink; direction: "forward" | "backward"; path: ProbePath };

async function measureRepeatedly(
  { link, direction, path }: Job,
  maximumAttempts: number,
): Promise<DirectionMeasurement> {
  const configured = link[direction];
  const attempts: MeasuredFigures[] = [];
  let withinTolerance = false;
  while (attempts.length < maximumAttempts && !withinTolerance) {
    const figures = await measureDirection(path, configured);
    attempts.push(figures);
    withinTolerance = isWithinTolerance(figures, configured);
  }
  return {
    link: link.name,
    direction,
    configured,
    measured: attempts.at(-1)!,
    attempts,
    withinTolerance,
    tolerance,
  };
}
