/** Runs a scenario in virtual time and tells what did not hold. */

import type { FallbackReason } from "../../events.ts";
import type { HostOptions } from "../../host-options.ts";
import { tcpFlag } from "../../wire/tcp-segment.ts";
import type { Attachment, Middlebox, Network } from "../network.ts";
import { addressesAt, makePair, type Pair, serverPort } from "../pair.ts";
import { randomiseSequences, resetWhen } from "../segment-surgery.ts";
import { chain } from "../wire-tap.ts";
import { ScenarioApplication } from "./application.ts";
import { checkConnection, checkNothingLeft } from "./consistency.ts";
import { RebindableNat } from "./rebindable-nat.ts";
import { calmEnd, type EndScenario, type Fault, type Scenario } from "./scenario.ts";
import { boxFor, type Tampering } from "./tampering.ts";

/**
 * Within this after the last fault, both applications have all their data or an error. The longest chain: 31 s of SYNs or 120 s in which a subflow's data stay
 * unacknowledged (R2 of RFC 9293 §3.8.3), then 60 s without any subflow, or 40 s until keep-alive notices that nobody is there.
 */
export const boundMicroseconds = 300_000_000;
/** After that, TIME-WAIT and FIN-WAIT-2 of a minute, and what is still sent again to nobody. */
const lingerMicroseconds = 400_000_000;
/** Frames for a neighbour that does not answer are dropped after this. */
const unansweredNeighbourMicroseconds = 5_000_000;
/** Steps of the clock at one instant: more are a spin. */
const stepsPerInstant = 5_000;
const stepLimit = 400_000;
/** A thorough look at the queues every so many steps. */
const thoroughEvery = 64;

/** Who has nothing more to send when it falls back for these reasons cannot tell the other, who has nothing to notice it by. */
const noticedAlone: readonly (FallbackReason | undefined)[] = ["acknowledgement-without-option", "checksum-failed"];

const keepAlive = { idleMicroseconds: 20_000_000, intervalMicroseconds: 5_000_000, probes: 4 };

/** The property does not hold: what was expected. */
export class Violation extends Error {}

export interface ScenarioOutcome {
  steps: number;
  /** Virtual time until both applications were done, from the last fault on. */
  durationMicroseconds: number;
  client: string;
  server: string;
}

/** @throws Violation, or what the stack throws */
export function runScenario(scenario: Scenario): ScenarioOutcome {
  const pair = makePair({
    seed: scenario.seed,
    paths: scenario.paths.map(({ up }) => up),
    clientFamilies: scenario.paths.map(() => scenario.family),
    serverFamily: scenario.family,
    serverInterfaces: scenario.serverInterfaces,
    client: hostOptions(scenario.client),
    server: hostOptions(scenario.server),
  });
  const { network } = pair;
  const start = network.now;
  const nats = scenario.paths.map((_, i) => equipPath(pair, i, scenario));

  let server: ScenarioApplication | undefined;
  const ghosts: ScenarioApplication[] = [];
  const listener = pair.server.listen({ port: serverPort }, start);
  const accept = (): void => {
    const connection = listener.accept();
    if (connection === undefined) return;
    if (server === undefined) server = new ScenarioApplication(network, connection, scenario.server);
    else {
      // A third packet that came twice, the second time when the connection had ended: to a listener that remembers nothing it is one more.
      require(scenario.server.synCookies === "always", "one connection: the server has accepted a second one");
      ghosts.push(new ScenarioApplication(network, connection, calmEnd));
    }
  };
  listener.onConnection = accept;
  const client = new ScenarioApplication(
    network,
    pair.client.connect({ remoteAddress: addressesAt(100, scenario.family)[0]!, remotePort: serverPort }, start),
    scenario.client,
  );
  for (const fault of scenario.faults) network.at(start + fault.at, () => inflict(fault, pair, nats[fault.path]!));
  if (scenario.client.abortsAt < Number.POSITIVE_INFINITY)
    network.at(start + scenario.client.abortsAt, () => client.abort());
  if (scenario.server.abortsAt < Number.POSITIVE_INFINITY)
    network.at(start + scenario.server.abortsAt, () => server?.abort());

  const watch = watchSteps(pair);
  const last = Math.max(0, ...scenario.faults.map(({ at }) => at));
  const isDone = (): boolean =>
    client.done &&
    (server === undefined ? pair.server.connections.length === 0 : server.done) &&
    ghosts.every(({ done }) => done);
  const ended = network.run(last + boundMicroseconds, isDone);
  if (!ended) throw new Violation(`bounded time: ${describe("client", client)}; ${describe("server", server)}`);
  const durationMicroseconds = network.now - start - last;
  // What came with the third packet's second copy went to another connection than the first one's.
  if (ghosts.length === 0) checkEnd(scenario, client, server);
  network.run(lingerMicroseconds, () => pair.client.connections.length + pair.server.connections.length === 0);
  listener.close(network.now);
  network.run(unansweredNeighbourMicroseconds);
  for (const host of [pair.client, pair.server]) checkNothingLeft(host, require);
  return {
    steps: watch.steps,
    durationMicroseconds,
    client: describe("client", client),
    server: describe("server", server),
  };
}

function hostOptions(end: EndScenario): Partial<HostOptions> {
  const { mptcp, dssChecksum, sendBufferBytes, receiveBufferBytes, autotune } = end;
  const { congestionControl, scheduler, pathManager, explicitCongestionNotification, synCookies } = end;
  const tcp = { keepAlive, explicitCongestionNotification, synCookies };
  const algorithms = { congestionControl, scheduler, pathManager };
  return { mptcp, dssChecksum, sendBufferBytes, receiveBufferBytes, autotune, ...algorithms, tcp };
}

function equipPath(pair: Pair, index: number, scenario: Scenario): RebindableNat {
  const path = scenario.paths[index]!;
  const link = pair.links[index]!;
  link.down.options = path.down;
  const shift = path.renumbers ? randomiseSequences(scenario.seed * 7 + index, scenario.seed * 13 + 5) : undefined;
  const nat = new RebindableNat(path.translates ? 1_000 : 0);
  link.up.middlebox = chain(...boxes(path.tamperingUp, shift === undefined ? [nat.up] : [shift.up, nat.up]));
  link.down.middlebox = chain(...boxes(path.tamperingDown, shift === undefined ? [nat.down] : [nat.down, shift.down]));
  return nat;
}

/** Bits flip after the last box: one that computes a checksum anew would make wrong bytes right. */
function boxes(tampering: readonly Tampering[], fixed: readonly Middlebox[]): Middlebox[] {
  const flips = tampering.filter(({ kind }) => kind === "flip-bits");
  const others = tampering.filter(({ kind }) => kind !== "flip-bits");
  return [...fixed, ...others.map(boxFor), ...flips.map(boxFor)];
}

function inflict(fault: Fault, pair: Pair, nat: RebindableNat): void {
  const { network } = pair;
  const link = pair.links[fault.path]!;
  switch (fault.do) {
    case "die":
      link.up.blackhole = link.down.blackhole = true;
      return;
    case "die-up":
      link.up.blackhole = true;
      return;
    case "die-down":
      link.down.blackhole = true;
      return;
    case "return":
      link.up.blackhole = link.down.blackhole = false;
      return;
    case "interface-down":
    case "interface-up":
      pair.client.setInterfaceUp(link.interfaceIndex, fault.do === "interface-up", network.now);
      return;
    case "rebind":
      nat.rebind();
      return;
    case "reset-up":
      resetNext(network, link, "up");
      return;
    case "reset-down":
      resetNext(network, link, "down");
      return;
  }
}

/** The next segment with data or an acknowledgement in that direction is answered with RST, as a firewall does that has forgotten the flow, and lost. */
function resetNext(network: Network, link: Attachment, direction: "up" | "down"): void {
  const pipe = link[direction];
  const before = pipe.middlebox!;
  const sender = direction === "up" ? link : network.attachments.find(({ host }) => host !== link.host)!;
  const reset = resetWhen(network, sender, (segment) => !segment.has(tcpFlag.rst) && segment.has(tcpFlag.ack));
  pipe.middlebox = (frame, now) => {
    const verdict = reset(frame, now);
    if (verdict === false) pipe.middlebox = before;
    return verdict === true ? before(frame, now) : verdict;
  };
}

function watchSteps(pair: Pair): { steps: number } {
  const { network } = pair;
  const watch = { steps: 0 };
  let instant = network.now;
  let atInstant = 0;
  network.onStep = () => {
    watch.steps++;
    atInstant = network.now === instant ? atInstant + 1 : 0;
    instant = network.now;
    require(atInstant < stepsPerInstant, "no spin: the clock stands still");
    require(watch.steps < stepLimit, "no spin: more steps than any of these transfers needs");
    const thorough = watch.steps % thoroughEvery === 0;
    for (const host of [pair.client, pair.server])
      for (const connection of host.connections) checkConnection(connection, thorough, require);
  };
  return watch;
}

/**
 * Both ends agree on how it ended. Who has closed without error and without having given up, has received all that the other's application gave to its stream, and
 * the other has received all of his: an error at one end and none at the other is possible only when nothing but the last acknowledgement was lost.
 */
function checkEnd(scenario: Scenario, client: ScenarioApplication, server: ScenarioApplication | undefined): void {
  const ends = `${describe("client", client)}; ${describe("server", server)}`;
  if (server === undefined) {
    require(client.aborted || client.error !== undefined, `agreement: closed well with nobody: ${ends}`);
    return;
  }
  const rewritten = scenario.paths.some(({ tamperingUp, tamperingDown }) =>
    [...tamperingUp, ...tamperingDown].some(({ kind }) => kind === "rewrite-payload"),
  );
  const protectedByChecksum = [client, server].every(
    ({ connection }) => !connection.plain && connection.checksumEnabled,
  );
  for (const end of [client, server]) {
    const other = end === client ? server : client;
    require(end.received <= other.plan.sends, `intact: more than was sent: ${ends}`);
    if (!rewritten || protectedByChecksum) require(end.corruptAt < 0, `intact: wrong byte: ${ends}`);
    if (end.error !== undefined || end.aborted) continue;
    require(end.received === other.plan.sends, `agreement: closed well without all data: ${ends}`);
    if (!other.aborted) require(other.received === end.plan.sends, `agreement: the other has not got all: ${ends}`);
  }
  const bothWell = [client, server].every(({ error, aborted }) => error === undefined && !aborted);
  if (bothWell) {
    const reasons = [client, server].map(({ connection }) => connection.fallback.reason);
    const agree = reasons.every((reason) => reason === undefined) || reasons.every((reason) => reason !== undefined);
    require(agree ||
      reasons.some((reason) =>
        noticedAlone.includes(reason),
      ), `agreement: one speaks plain TCP, the other MPTCP: ${ends}`);
  }
}

function describe(name: string, application: ScenarioApplication | undefined): string {
  if (application === undefined) return `${name}: never accepted`;
  const { received, corruptAt, aborted, closed, error, connection } = application;
  const mode = connection.plain ? `plain (${connection.fallback.reason})` : "MPTCP";
  const states = connection.subflows.map(({ endpoint }) => endpoint.state).join(" ");
  const end = aborted ? "gave up" : closed ? (error ?? "closed well") : `open [${states}]`;
  return `${name}: ${end}, ${mode}, ${received} bytes received${corruptAt < 0 ? "" : `, wrong from ${corruptAt} on`}`;
}

function require(condition: boolean, expectation: string): void {
  if (!condition) throw new Violation(expectation);
}
