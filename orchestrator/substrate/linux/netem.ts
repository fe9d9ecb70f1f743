/**
 * A direction of a link in the kernel's own words. As in our elements: loss, then the rate with its queue, and the delay. netem holds the delay before the
 * rate, which for packets in order gives every packet the same time; and its random numbers have no seed that iproute2 6.1 could set.
 */
import type { LinkDirectionConfig } from "../../path/link-direction.ts";

/** Frames of the largest size that netem may hold for the delay alone; the queue's limit is that of the rate below it. */
const heldPackets = 100_000;
/** tbf's bucket: one frame, so that bursts leave at the rate (data-plane.md, pitfall 5). */
const burstBytes = 1600;

/** Lines for `tc -batch` that shape what leaves through the device. `change` alters what stands, keeping the queue; else it is set up. */
export function netemLines(device: string, config: LinkDirectionConfig, verb: "add" | "change" = "add"): string[] {
  const netem = [
    `qdisc ${verb} dev ${device} root handle 1: netem limit ${heldPackets}`,
    ...delay(config),
    ...loss(config.loss),
  ].join(" ");
  const rate = config.rateBitsPerSecond;
  if (rate === undefined) return [netem];
  const { bytes, packets, timeMicroseconds } = config.queue ?? {};
  const limits = [
    ...(bytes === undefined ? [] : [bytes]),
    ...(timeMicroseconds === undefined ? [] : [Math.round((rate / 8) * (timeMicroseconds / 1_000_000))]),
  ];
  // Where packets are counted the child below counts them, and tbf's own limit shall never be the tighter one.
  const limit = limits.length > 0 ? Math.min(...limits) : 1_000_000_000;
  return [
    netem,
    `qdisc ${verb} dev ${device} parent 1:1 handle 10: tbf rate ${rate}bit burst ${burstBytes} limit ${limit + burstBytes}`,
    ...(packets === undefined ? [] : [`qdisc ${verb} dev ${device} parent 10:1 handle 20: pfifo limit ${packets}`]),
  ];
}

/** The same device, dropping everything. */
export function netemBlackholeLine(device: string): string {
  return `qdisc change dev ${device} root handle 1: netem limit ${heldPackets} loss 100%`;
}

function delay({ delayMicroseconds = 0, jitter }: LinkDirectionConfig): string[] {
  if (jitter === undefined) return delayMicroseconds > 0 ? [`delay ${delayMicroseconds}us`] : [];
  if (!jitter.reorder) throw new Error("netem reorders packets when it jitters: this link needs the emulator");
  const distribution = jitter.distribution === "normal" ? " distribution normal" : "";
  return [`delay ${delayMicroseconds}us ${jitter.microseconds}us${distribution}`];
}

function loss(model: LinkDirectionConfig["loss"]): string[] {
  if (model === undefined) return [];
  if (model.kind === "bernoulli") return [`loss random ${percent(model.probability)}`];
  if (model.kind === "listed")
    throw new RangeError("netem cannot lose packets by number: this link needs the simulation");
  const { pGoodToBad, pBadToGood, lossBad, lossGood } = model;
  return [`loss gemodel ${[pGoodToBad, pBadToGood, lossBad, lossGood].map(percent).join(" ")}`];
}

function percent(probability: number): string {
  return `${Number((probability * 100).toFixed(6))}%`;
}
