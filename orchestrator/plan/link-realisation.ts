/** What makes each link real, and what it does to packets in each direction. */
import type { LinkFault } from "../model/experiment.ts";
import { bufferBytes, overlayShape, unshaped } from "../model/link-profile.ts";
import type { DirectionShape, LinkShape } from "../model/link-profile.ts";
import type { TopologyLink } from "../model/topology.ts";
import { formatDuration, formatProbability, formatRate, formatSize } from "../model/units.ts";
import type { LinkDirectionConfig } from "../path/link-direction.ts";
import type { AddressedLink } from "./addressing.ts";
import { derivedSeed } from "./derived-seed.ts";
import { drawTraces } from "./generated-traces.ts";
import type { PlannedLink } from "./plan.ts";

export interface MachineAbilities {
  /** The kernel has the netem qdisc. */
  readonly netem: boolean;
  /** The kernel's routers take a seed of their hash of flows, so that their choices are known (Linux 6.11). Left out: nobody has asked, and they are not. */
  readonly seededFlowHash?: boolean;
  /** Free for a simulation; left out: nobody has asked. */
  readonly memoryBytes?: number;
}

/** Waits at most this long where a rate comes without a buffer: what a router of some care would have. */
const defaultBufferMicroseconds = 100_000;
/** … but never room for less than ten full frames, which slow links need to carry a window. */
const leastDefaultBufferBytes = 10 * 1514;

export function realiseLink(
  written: TopologyLink,
  addressed: AddressedLink,
  index: number,
  faults: readonly LinkFault[],
  seed: number,
  where: MachineAbilities | "simulation",
): PlannedLink {
  const link = written.shape ? { ...written, shape: drawTraces(addressed.name, written.shape, seed) } : written;
  const [first, second] = addressed.ends;
  const { realisation, why } = chooseRealisation(link, addressed.name, faults, where);
  const onMachine = where !== "simulation";
  const emulated = onMachine && realisation !== "direct";
  const configs = linkConfigs(addressed.name, link.shape ?? unshaped, seed);
  // There is nothing to measure where packets leave at the very times that are computed.
  const measured =
    onMachine &&
    [configs.forward, configs.backward].some(
      (config) =>
        config.rateBitsPerSecond !== undefined || config.delayMicroseconds !== undefined || config.loss !== undefined,
    );
  return {
    name: addressed.name,
    realisation,
    ends: [
      { node: first.node, interface: first.interface, ...(emulated && { emulatorInterface: `l${index}a` }) },
      { node: second.node, interface: second.interface, ...(emulated && { emulatorInterface: `l${index}b` }) },
    ],
    ...configs,
    ...(link.profile !== undefined && { profile: link.profile }),
    measured,
    reason: why,
  };
}

/** Both directions of a link with this shape. The seeds hang on the link's name alone. */
export function linkConfigs(
  name: string,
  shape: LinkShape,
  seed: number,
): { readonly forward: LinkDirectionConfig; readonly backward: LinkDirectionConfig } {
  const { up, down } = drawTraces(name, shape, seed);
  return {
    forward: directionConfig(up, derivedSeed(seed, "link", name, "forward")),
    backward: directionConfig(down, derivedSeed(seed, "link", name, "backward")),
  };
}

/** The shape of a link after each `set` of it up to a time. */
export function shapeAfter(link: TopologyLink, name: string, faults: readonly LinkFault[]): LinkShape {
  return faults
    .filter((fault) => fault.link === name && fault.shape)
    .reduce((shape, fault) => overlayShape(shape, fault.shape!), link.shape ?? unshaped);
}

function directionConfig(shape: DirectionShape, seed: number): LinkDirectionConfig {
  const { rateBitsPerSecond: rate, delayMicroseconds, queueManagement, trace, jitter, loss } = shape;
  return {
    ...(rate !== undefined && { rateBitsPerSecond: rate, queue: queueOf(shape, rate) }),
    ...(trace?.opportunitiesMilliseconds && { trace: { opportunitiesMilliseconds: trace.opportunitiesMilliseconds } }),
    ...(queueManagement && { queueManagement }),
    ...(delayMicroseconds !== undefined && delayMicroseconds > 0 && { delayMicroseconds }),
    ...(jitter && { jitter }),
    ...(loss && !(loss.kind === "bernoulli" && loss.probability === 0) && { loss }),
    seed,
  };
}

/** A buffer given as a time is that of the rate, counted in bytes as drop-tail queues count. */
function queueOf({ buffer }: DirectionShape, rate: number): NonNullable<LinkDirectionConfig["queue"]> {
  if (!buffer)
    return {
      bytes: Math.max(leastDefaultBufferBytes, bufferBytes({ timeMicroseconds: defaultBufferMicroseconds }, rate)!),
    };
  const bytes = bufferBytes(buffer, rate);
  return bytes !== undefined ? { bytes } : { packets: (buffer as { packets: number }).packets };
}

function chooseRealisation(
  { shape, profile }: TopologyLink,
  name: string,
  faults: readonly LinkFault[],
  where: MachineAbilities | "simulation",
): { realisation: PlannedLink["realisation"]; why: string } {
  const inVirtualTime = where === "simulation";
  const acting = faults.filter(
    (fault) => fault.link === name && (fault.action === "blackhole" || fault.action === "set"),
  );
  if (!shape && acting.length === 0)
    return { realisation: "direct", why: `asks for no shape: ${inVirtualTime ? "takes no time" : "one veth pair"}` };
  if (!shape)
    return {
      realisation: "emulated",
      why: `asks for no shape, but a fault acts on it (${acting[0]!.action}): ${inVirtualTime ? "its elements stand" : "the emulator stands"} in the middle`,
    };
  const asked = `${profile === undefined ? "asks for" : `profile ${profile}:`} ${describeShape(shape)}`;
  const shapes = [shape, ...acting.flatMap((fault) => fault.shape ?? [])];
  const random = shapes.some(({ up, down }) => [up, down].some((direction) => direction.loss ?? direction.jitter));
  if (inVirtualTime) return { realisation: "emulated", why: `${asked}; in virtual time` };
  if (!where.netem) return { realisation: "emulated", why: `${asked}; the kernel has no netem` };
  const managed = shapes.some(({ up, down }) => up.queueManagement ?? down.queueManagement);
  if (managed) return { realisation: "emulated", why: `${asked}; its queue is managed, and netem's is not` };
  if (shapes.some(({ up, down }) => up.trace ?? down.trace))
    return { realisation: "emulated", why: `${asked}; netem knows no traces` };
  if (random) return { realisation: "emulated", why: `${asked}; netem cannot repeat losses and jitter from a seed` };
  return { realisation: "netem", why: `${asked}; netem and tbf do exactly that` };
}

function describeShape({ up, down }: LinkShape): string {
  const [upText, downText] = [describeDirection(up), describeDirection(down)];
  if (upText === downText) return upText;
  return `up ${upText}; down ${downText}`;
}

function describeDirection(shape: DirectionShape): string {
  const { rateBitsPerSecond: rate, delayMicroseconds, buffer, queueManagement, jitter, loss } = shape;
  const parts: string[] = [];
  if (rate !== undefined)
    parts.push(
      shape.trace === undefined ? formatRate(rate) : `${describeTrace(shape.trace)} (mean ${formatRate(rate)})`,
      describeQueue(shape, rate, buffer === undefined),
    );
  if (queueManagement?.kind === "codel")
    parts.push(
      `CoDel (target ${formatDuration(queueManagement.targetMicroseconds)}, interval ${formatDuration(queueManagement.intervalMicroseconds)})`,
    );
  if (queueManagement?.kind === "red")
    parts.push(
      `RED (${formatSize(queueManagement.leastBytes)} to ${formatSize(queueManagement.mostBytes)}, ${formatProbability(queueManagement.probability)})`,
    );
  if (delayMicroseconds !== undefined) parts.push(`delay ${formatDuration(delayMicroseconds)}`);
  if (jitter)
    parts.push(
      `jitter ${jitter.distribution} ${formatDuration(jitter.microseconds)}${jitter.reorder ? ", reordering" : ""}`,
    );
  if (loss?.kind === "bernoulli") parts.push(`loss ${formatProbability(loss.probability)}`);
  if (loss?.kind === "gilbert-elliott")
    parts.push(
      `loss in bursts (${formatProbability(loss.pGoodToBad)} into, ${formatProbability(loss.pBadToGood)} out of)`,
    );
  if (loss?.kind === "listed") parts.push(`loses packets ${loss.packets.join(", ")}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function describeTrace(trace: NonNullable<DirectionShape["trace"]>): string {
  if ("file" in trace) return `trace ${trace.file}`;
  const { generate, durationMicroseconds, seed } = trace;
  return `generated ${generate} of ${formatDuration(durationMicroseconds)}${seed === undefined ? "" : `, seed ${seed}`}`;
}

function describeQueue(shape: DirectionShape, rate: number, byDefault: boolean): string {
  const { bytes, packets } = queueOf(shape, rate);
  const time =
    shape.buffer && "timeMicroseconds" in shape.buffer ? ` (${formatDuration(shape.buffer.timeMicroseconds)})` : "";
  return `buffer ${bytes !== undefined ? formatSize(bytes) : `${packets} packets`}${time}${byDefault ? " (default: 100ms of the rate)" : ""}`;
}
