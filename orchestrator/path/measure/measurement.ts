import { gilbertElliottLossRate } from "../gilbert-elliott-loss.ts";
import type { LinkDirectionConfig } from "../link-direction.ts";
import { median, probabilityInterval, trainRate } from "./estimates.ts";
import { minimumProbeBytes, type ProbePath } from "./probe-path.ts";

/** Figures of one direction; each is left out where the configuration says nothing of it. */
export type MeasuredFigures = {
  rateBitsPerSecond?: number;
  /** Median of one-way delays, less the time that the probe's bits took on the line. */
  delayMicroseconds: number;
  /** Share lost of so many probes, and the interval that holds the true value with 99.9 %. */
  loss?: { probability: number; interval: [low: number, high: number]; probes: number };
};

export type DirectionMeasurement = {
  link: string;
  direction: "forward" | "backward";
  configured: LinkDirectionConfig;
  /** Of the last attempt. */
  measured: MeasuredFigures;
  /** All attempts, the last within tolerance if any was. */
  attempts: MeasuredFigures[];
  withinTolerance: boolean;
  tolerance: { rateShare: number; delayMicroseconds: number };
};

export const tolerance = { rateShare: 0.02, delayMicroseconds: 500 } as const;

const maximumTrainFrames = 40_000;
const fewestTrainFrames = 20;
/** More than the line can carry, so that it is never idle; less the lost ones it is still more. */
const overload = 1.1;
const delayProbes = 31;
const maximumLossProbes = 4000;
const probesPerSecondLimit = 10_000;

/** Measures one direction once: its rate by a train, its loss and its delay by spaced probes. */
export async function measureDirection(path: ProbePath, configured: LinkDirectionConfig): Promise<MeasuredFigures> {
  const rate = configured.rateBitsPerSecond;
  const patienceMicroseconds =
    (configured.delayMicroseconds ?? 0) + 8 * (configured.jitter?.microseconds ?? 0) + 300_000;
  const measuredRate = rate === undefined ? undefined : await measureRate(path, configured, rate, patienceMicroseconds);
  const loss = configured.loss && (await measureLoss(path, configured, patienceMicroseconds));

  const serialization = measuredRate === undefined ? 0 : (minimumProbeBytes * 8e6) / measuredRate;
  const train = await path.send({
    count: delayProbes,
    frameBytes: minimumProbeBytes,
    burst: 1,
    gapMicroseconds: Math.max(5000, 2 * (Number.isFinite(serialization) ? serialization : 0)),
    patienceMicroseconds,
  });
  const delays = Array.from(train.received, (received, i) => received - train.sent[i]!).filter((x) => !Number.isNaN(x));
  return {
    ...(measuredRate === undefined ? {} : { rateBitsPerSecond: measuredRate }),
    delayMicroseconds: median(delays) - serialization,
    ...(loss === undefined ? {} : { loss }),
  };
}

/** Whether figures are those of the configuration, as far as it says something. NaN is never within. */
export function isWithinTolerance(measured: MeasuredFigures, configured: LinkDirectionConfig): boolean {
  const { rateBitsPerSecond: rate, delayMicroseconds = 0, loss } = configured;
  if (rate !== undefined && !(Math.abs((measured.rateBitsPerSecond ?? NaN) / rate - 1) <= tolerance.rateShare))
    return false;
  if (!(Math.abs(measured.delayMicroseconds - delayMicroseconds) <= tolerance.delayMicroseconds)) return false;
  if (loss === undefined) return true;
  const expected = lossRate(loss);
  return measured.loss !== undefined && measured.loss.interval[0] <= expected && expected <= measured.loss.interval[1];
}

async function measureRate(
  path: ProbePath,
  { loss, queue }: LinkDirectionConfig,
  rate: number,
  patienceMicroseconds: number,
): Promise<number> {
  // Slow links get smaller frames, so that a second holds enough of them; fast ones a shorter train.
  const frameBytes = Math.round(Math.min(path.mtu + 14, Math.max(minimumProbeBytes, rate / 8 / fewestTrainFrames)));
  const transmission = (frameBytes * 8e6) / rate;
  const load = overload / (1 - Math.min(0.5, loss === undefined ? 0 : lossRate(loss)));
  const count = Math.min(maximumTrainFrames, Math.max(fewestTrainFrames, Math.ceil((load * 1e6) / transmission)));
  // What the first burst leaves in the queue carries over the sender's own pauses.
  const room = Math.min(queue?.timeMicroseconds ?? Infinity, ((queue?.bytes ?? Infinity) * 8e6) / rate);
  const backlog = Math.min(100_000, room);
  const { arrivals } = await path.send({
    count,
    frameBytes,
    burst: Math.max(2, Math.min(Math.floor(backlog / transmission), queue?.packets ?? Infinity)),
    gapMicroseconds: transmission / load,
    patienceMicroseconds: patienceMicroseconds + 0.3e6,
  });
  return trainRate(arrivals);
}

async function measureLoss(
  path: ProbePath,
  { rateBitsPerSecond, loss }: LinkDirectionConfig,
  patienceMicroseconds: number,
): Promise<NonNullable<MeasuredFigures["loss"]>> {
  const lineRate = (rateBitsPerSecond ?? Infinity) / (minimumProbeBytes * 8);
  const probesPerSecond = Math.min(probesPerSecondLimit, lineRate / 2);
  const probes = Math.min(maximumLossProbes, Math.max(fewestTrainFrames, Math.floor(probesPerSecond)));
  const { received } = await path.send({
    count: probes,
    frameBytes: minimumProbeBytes,
    burst: 1,
    gapMicroseconds: 1e6 / probesPerSecond,
    patienceMicroseconds,
  });
  const lost = received.filter((time) => Number.isNaN(time)).length;
  return { probability: lost / probes, interval: probabilityInterval(lost, probes, burstiness(loss!)), probes };
}

function lossRate(loss: NonNullable<LinkDirectionConfig["loss"]>): number {
  // Probes would be counted with the packets that are meant.
  if (loss.kind === "listed") throw new RangeError("losses by number are of the simulation, where nothing is measured");
  return loss.kind === "bernoulli" ? loss.probability : gilbertElliottLossRate(loss);
}

/** Losses in bursts say less than so many independent ones: the chain's memory widens the variance of their sum. */
function burstiness(loss: NonNullable<LinkDirectionConfig["loss"]>): number {
  if (loss.kind !== "gilbert-elliott") return 1;
  const change = loss.pGoodToBad + loss.pBadToGood;
  return Math.max(1, (2 - change) / Math.max(change, 1e-3));
}
