/** What short exchanges cost: a byte there and back, a connection's set-up, many connections one after the other. */

import type { Measures } from "./comparison.ts";
import { End, type EndOptions } from "./end.ts";
import type { EndTask } from "./end-protocol.ts";
import type { Lab, Side } from "./lab.ts";
import { quantile } from "./statistics.ts";

export type RoundTrips = { echoP50: number; echoP99: number; setUpP50: number; setUpP99: number };

export type Churn = { connectionsPerSecond: number; clientMicroseconds: number; serverMicroseconds: number };

export const roundTripMeasures: Measures<RoundTrips> = [
  ["echoP50", "echo of a byte µs: p50"],
  ["echoP99", "p99"],
  ["setUpP50", "set-up µs: p50"],
  ["setUpP99", "p99"],
];

export const churnMeasures: Measures<Churn> = [
  ["connectionsPerSecond", "connections/s"],
  ["clientMicroseconds", "CPU µs each: client"],
  ["serverMicroseconds", "server"],
];

type Ends = Pick<EndOptions, "mptcp"> & { lab: Lab };

/** Those before the code is compiled and the caches are warm. */
const warmUpFraction = 0.2;

/** Microseconds, as the client's application sees them. */
export async function measureRoundTrips(ends: Ends, echoes: number, openings: number): Promise<RoundTrips> {
  const echo = await withEnds(ends, { mode: "echo", count: echoes }, samplesOf);
  const setUp = await withEnds(ends, { mode: "open", count: openings }, samplesOf);
  return {
    echoP50: quantile(echo, 0.5),
    echoP99: quantile(echo, 0.99),
    setUpP50: quantile(setUp, 0.5),
    setUpP99: quantile(setUp, 0.99),
  };
}

/** Connections that are set up, carry a byte there and back and are closed, and what each costs either end's process. */
export function measureChurn(ends: Ends, count: number, inFlight: number): Promise<Churn> {
  return withEnds(ends, { mode: "churn", count, inFlight }, async (client, server) => {
    // What it took to start is not a connection's.
    const [clientBefore, serverBefore] = [client.processorSeconds(), server.processorSeconds()];
    const { seconds } = await client.message("seconds");
    return {
      connectionsPerSecond: count / seconds,
      clientMicroseconds: ((client.processorSeconds() - clientBefore) * 1e6) / count,
      serverMicroseconds: ((server.processorSeconds() - serverBefore) * 1e6) / count,
    };
  });
}

async function samplesOf(client: End): Promise<number[]> {
  const { samples } = await client.message("samples");
  return samples.slice(Math.floor(samples.length * warmUpFraction));
}

/** A server that echoes, and a client with a task. */
export async function withEnds<Result>(
  { lab, ...options }: Ends & Pick<EndOptions, "nodeArguments">,
  task: EndTask,
  measure: (client: End, server: End) => Promise<Result>,
): Promise<Result> {
  const start = (side: Side, task: EndTask): Promise<End> => End.start({ ...options, lab, side, task });
  const server = await start("server", { mode: "serve", service: "echo" });
  try {
    const client = await start("client", task);
    try {
      return await measure(client, server);
    } finally {
      await client.stop();
    }
  } finally {
    await server.stop();
  }
}
