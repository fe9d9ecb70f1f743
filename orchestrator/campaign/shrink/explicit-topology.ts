/** A topology with nothing left to look up: generated nodes and links by name, profiles' values at each link. So each of them can be taken out by itself. */
import type { DirectionShape, LinkShape } from "../../model/link-profile.ts";
import type { Topology, TopologyLinkEnd } from "../../model/topology.ts";
import { formatDuration, formatProbability, formatRate, formatSize } from "../../model/units.ts";
import { pick, type Mapping } from "./case.ts";

export function explicitTopology({ version, name, addressing, hosts, routers, links }: Topology): Mapping {
  const isSwitch = (router: string): boolean => routers[router]!.kind === "switch";
  const forwarding = Object.keys(routers);
  return pickFilled({
    version,
    name,
    ...(addressing !== "ipv4" && { addressing }),
    hosts: nodes(Object.keys(hosts)),
    routers: nodes(forwarding.filter((router) => !isSwitch(router))),
    switches: nodes(forwarding.filter(isSwitch)),
    links: Object.fromEntries(
      Object.entries(links).map(([link, { ends, shape, mtu, addressing: own }]) => [
        link,
        {
          ends: ends.map(writeEnd),
          ...(mtu !== undefined && { mtu }),
          ...(own !== undefined && { addressing: own }),
          ...(shape && writeShape(shape)),
        },
      ]),
    ),
  });
}

const nodes = (names: readonly string[]): Mapping => Object.fromEntries(names.map((node) => [node, {}]));

const pickFilled = (mapping: Mapping): Mapping =>
  pick(mapping, (key) => typeof mapping[key] !== "object" || Object.keys(mapping[key] as object).length > 0);

function writeEnd({ node, interface: name, address, mac }: TopologyLinkEnd): unknown {
  if (address === undefined && mac === undefined) return name === undefined ? node : `${node}:${name}`;
  return {
    node,
    ...(name !== undefined && { interface: name }),
    ...(address && { address: `${address.address}/${address.prefixLength}` }),
    ...(mac !== undefined && { mac }),
  };
}

function writeShape({ up, down }: LinkShape): Mapping {
  return pickFilled({ up: writeDirection(up), down: writeDirection(down) });
}

function writeDirection(shape: DirectionShape): Mapping {
  const { rateBitsPerSecond: rate, trace, delayMicroseconds: delay, buffer, queueManagement, jitter, loss } = shape;
  return {
    ...(trace ? { trace: writeTrace(trace) } : rate !== undefined && { rate: formatRate(rate) }),
    ...(delay !== undefined && { delay: formatDuration(delay) }),
    ...(buffer && { buffer: writeBuffer(buffer) }),
    ...(queueManagement && { aqm: writeQueueManagement(queueManagement) }),
    ...(jitter && {
      jitter: { time: formatDuration(jitter.microseconds), distribution: jitter.distribution, reorder: jitter.reorder },
    }),
    ...(loss && { loss: writeLoss(loss) }),
  };
}

function writeTrace(trace: NonNullable<DirectionShape["trace"]>): unknown {
  if ("file" in trace) return trace.file;
  const { generate, durationMicroseconds, seed } = trace;
  return { generate, duration: formatDuration(durationMicroseconds), ...(seed !== undefined && { seed }) };
}

function writeBuffer(buffer: NonNullable<DirectionShape["buffer"]>): string {
  if ("bytes" in buffer) return formatSize(buffer.bytes);
  return "packets" in buffer ? `${buffer.packets}packets` : formatDuration(buffer.timeMicroseconds);
}

function writeQueueManagement(management: NonNullable<DirectionShape["queueManagement"]>): Mapping {
  if (management.kind === "codel") {
    const { targetMicroseconds, intervalMicroseconds } = management;
    return { codel: { target: formatDuration(targetMicroseconds), interval: formatDuration(intervalMicroseconds) } };
  }
  const { leastBytes, mostBytes, probability, weight } = management;
  return {
    red: {
      least: formatSize(leastBytes),
      most: formatSize(mostBytes),
      probability: formatProbability(probability),
      weight: formatProbability(weight),
    },
  };
}

function writeLoss(loss: NonNullable<DirectionShape["loss"]>): unknown {
  switch (loss.kind) {
    case "bernoulli":
      return formatProbability(loss.probability);
    case "gilbert-elliott":
      return {
        gilbertElliott: {
          goodToBad: formatProbability(loss.pGoodToBad),
          badToGood: formatProbability(loss.pBadToGood),
          lossGood: formatProbability(loss.lossGood),
          lossBad: formatProbability(loss.lossBad),
        },
      };
    case "listed":
      return { packets: [...loss.packets] };
  }
}
