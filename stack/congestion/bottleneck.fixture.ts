/** Windows against bottlenecks, packet by packet and without a protocol: what equilibria of congestion control are measured on. */

import { seededRandom } from "../testing/random.ts";
import type { CongestionControl } from "./congestion-control.ts";

const mss = 1_000;
/** Probability, just before the queue is full. */
const largestEarlyDrop = 0.02;
const forgetAnswersAfter = 1_000;

export interface Bottleneck {
  packetsPerSecond: number;
  /** From half of this on packets are dropped at random, as by RED: in proportion to what each flow sends, as the papers' equilibria assume. */
  queuePackets: number;
}

export interface Flow {
  control: CongestionControl;
  bottleneck: Bottleneck;
  /** Of the empty path. */
  rttMilliseconds: number;
  startsAtSecond?: number;
}

interface Packet {
  number: number;
  sentAt: number;
  /** When its acknowledgement, or those of later ones that tell of its loss, are back. */
  answeredAt: number;
  lost: boolean;
}

class RunningFlow {
  readonly flow: Flow;
  readonly link: RunningLink;
  delivered = 0;
  inFlight = 0;
  sent = 0;
  recoveredAt = 0;
  smoothedRtt = 0;
  readonly answers: Packet[] = [];
  firstAnswer = 0;

  constructor(flow: Flow, link: RunningLink) {
    this.flow = flow;
    this.link = link;
  }

  get nextAnswer(): number {
    return this.answers[this.firstAnswer]?.answeredAt ?? Number.POSITIVE_INFINITY;
  }
}

class RunningLink {
  readonly shape: Bottleneck;
  freeAt = 0;

  constructor(shape: Bottleneck) {
    this.shape = shape;
  }
}

/** Packets a second that each flow delivered between `from` and `until` (seconds). */
export function throughputs(flows: readonly Flow[], from: number, until: number, seed = 1): number[] {
  const random = seededRandom(seed);
  const links = new Map(flows.map(({ bottleneck }) => [bottleneck, new RunningLink(bottleneck)]));
  const running = flows.map((flow) => new RunningFlow(flow, links.get(flow.bottleneck)!));
  for (const { flow } of running) flow.control.setMaximumSegmentSize(mss);
  const starts = running.map(({ flow }) => (flow.startsAtSecond ?? 0) * 1e6);
  let atFrom: number[] | undefined;
  for (let now = 0; now < until * 1e6;) {
    if (atFrom === undefined && now >= from * 1e6) atFrom = running.map(({ delivered }) => delivered);
    running.forEach((flow, i) => {
      if (now >= starts[i]!) send(flow, now, random);
    });
    now = Math.min(
      ...running.map(({ nextAnswer }) => nextAnswer),
      ...starts.filter((start) => start > now),
      until * 1e6,
    );
    for (const flow of running) while (flow.nextAnswer <= now) answer(flow);
  }
  return running.map(({ delivered }, i) => (delivered - atFrom![i]!) / (until - from));
}

function send(running: RunningFlow, now: number, random: () => number): void {
  const { flow, link, answers } = running;
  const { packetsPerSecond, queuePackets } = link.shape;
  const window = Math.floor(flow.control.congestionWindow / mss);
  while (running.inFlight < window) {
    running.inFlight++;
    const time = 1e6 / packetsPerSecond;
    const wait = Math.max(0, link.freeAt - now);
    const fill = wait / time / queuePackets;
    const lost = fill >= 1 || random() / 2 ** 32 < largestEarlyDrop * Math.max(0, 2 * fill - 1);
    if (!lost) link.freeAt = now + wait + time;
    const answeredAt = now + wait + time + flow.rttMilliseconds * 1_000;
    answers.push({ number: ++running.sent, sentAt: now, answeredAt, lost });
  }
}

function answer(running: RunningFlow): void {
  const packet = running.answers[running.firstAnswer++]!;
  if (running.firstAnswer === forgetAnswersAfter) {
    running.answers.splice(0, forgetAnswersAfter);
    running.firstAnswer = 0;
  }
  const { control } = running.flow;
  const inFlight = running.inFlight--;
  if (packet.lost) {
    if (packet.number <= running.recoveredAt) return;
    running.recoveredAt = running.sent;
    control.onLoss(inFlight * mss);
    return;
  }
  running.delivered++;
  const rtt = packet.answeredAt - packet.sentAt;
  running.smoothedRtt += running.smoothedRtt === 0 ? rtt : (rtt - running.smoothedRtt) / 8;
  control.onRttSample(rtt, packet.number * mss, running.sent * mss);
  if (packet.number > running.recoveredAt) control.onAcknowledged(mss, true, running.smoothedRtt, packet.answeredAt);
}
