/** Experiments that nobody thought of: networks, endpoints, workloads and faults at random, as files would say it. Each can be planned and simulated. */
import fc from "fast-check";

export interface RandomExperiment {
  readonly topology: object;
  readonly experiment: object;
}

/** A key that is there half of the time. */
const perhaps = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

/** Something takes time on each, so that a simulation goes on. */
const shape = fc.record({
  rate: fc.constantFrom("500kbit", "2mbit", "8mbit", "50mbit"),
  delay: perhaps(fc.constantFrom("10us", "1ms", "10ms", "50ms", "300ms")),
  buffer: perhaps(fc.constantFrom("2packets", "10packets", "50packets", "100kB", "2s")),
  aqm: perhaps(fc.constantFrom("codel", { codel: { target: "10ms", interval: "200ms" } })),
  jitter: perhaps(
    fc.constantFrom({ time: "2ms", distribution: "normal" }, { time: "3ms", distribution: "normal", reorder: true }),
  ),
  loss: perhaps(
    fc.constantFrom("0.1%", "2%", { gilbertElliott: { goodToBad: "0.5%", badToGood: "30%" } }, { packets: [1, 2, 7] }),
  ),
  mtu: fc.constantFrom(undefined, undefined, 1280, 1400, 9000),
});

const buffer = perhaps(fc.constantFrom("64KiB", "256KiB", "1MiB"));

const mptcp = fc.record({
  endpoint: fc.constant("pathlab"),
  congestionControl: perhaps(
    fc.constantFrom("lia", "olia", "balia", "wvegas", "ewtcp", "fully-coupled", "reno", "cubic"),
  ),
  scheduler: perhaps(fc.constantFrom("min-rtt", "round-robin", "redundant", "blest", "ecf")),
  pathManager: perhaps(fc.constantFrom("full-mesh", "n-different-ports", "signal", "subflow", "backup", "single-path")),
  subflows: perhaps(fc.integer({ min: 1, max: 12 })),
  dssChecksum: perhaps(fc.boolean()),
  allowJoinInitialAddress: perhaps(fc.boolean()),
  reinjection: perhaps(fc.boolean()),
  opportunisticRetransmission: perhaps(fc.boolean()),
  penalisation: perhaps(fc.boolean()),
  windowCapping: perhaps(fc.boolean()),
  pacing: perhaps(fc.boolean()),
  autotune: perhaps(fc.boolean()),
  notSentLowat: perhaps(fc.constantFrom("16KiB", "128KiB")),
  sendBuffer: buffer,
  receiveBuffer: buffer,
});

const tcp = fc.record({
  endpoint: fc.constant("pathlab-tcp"),
  congestionControl: perhaps(fc.constantFrom("reno", "cubic")),
  autotune: perhaps(fc.boolean()),
  pacing: perhaps(fc.boolean()),
  sendBuffer: buffer,
  receiveBuffer: buffer,
});

const settings = fc.oneof({ weight: 5, arbitrary: mptcp }, { weight: 1, arbitrary: tcp });

const start = perhaps(fc.integer({ min: 0, max: 3_000 }).map((ms) => `${ms}ms`));
const noDelay = perhaps(fc.boolean());
/** Who with whom comes later. */
const workload = fc.oneof(
  fc.record({ kind: fc.constant("bulk"), size: fc.constantFrom("1B", "1kB", "64kB", "600kB"), start, noDelay }),
  fc.record({
    kind: fc.constant("stream"),
    rate: fc.constantFrom("50kbit", "150kbit", "400kbit"),
    duration: fc.constantFrom("1s", "6s"),
    segment: perhaps(fc.constantFrom("20ms", "1s")),
    start,
    noDelay,
  }),
  fc.record({
    kind: fc.constant("request-response"),
    request: fc.constantFrom("1B", "750B", "20kB"),
    response: fc.constantFrom("1B", "750B", "20kB"),
    interval: fc.constantFrom("20ms", "300ms"),
    count: fc.integer({ min: 1, max: 20 }),
    start,
    noDelay,
  }),
);

const traffic = fc.constantFrom(
  { pattern: "permutation", size: "100kB" },
  { pattern: "all-to-all", size: "20kB" },
  { pattern: "sparse", share: "50%", size: "100kB" },
  { pattern: "poisson", flowsPerSecond: 5, sizes: { pareto: { mean: "20kB", shape: 1.5 } }, duration: "2s" },
  { pattern: "on-off", on: "500ms", off: "300ms", duration: "3s" },
);

const failure = fc.record({
  link: fc.nat(),
  at: fc.integer({ min: 0, max: 900 }),
  lasting: fc.integer({ min: 10, max: 3_000 }),
  pair: fc.constantFrom(["blackhole", "restore"], ["down", "up"]),
  reroute: perhaps(fc.constantFrom("10ms", "200ms")),
});

type Failure = typeof failure extends fc.Arbitrary<infer Value> ? Value : never;

export const randomExperiment: fc.Arbitrary<RandomExperiment> = fc
  .record({
    addressing: fc.constantFrom("ipv4", "ipv6", "dual"),
    seed: fc.nat(),
    hosts: fc.array(fc.record({ settings, links: fc.array(shape, { minLength: 1, maxLength: 3 }) }), {
      minLength: 2,
      maxLength: 4,
    }),
    /** How each router but the first is joined to the one before; undefined: by a cable. */
    backbone: fc.array(perhaps(shape), { maxLength: 2 }),
    balances: fc.boolean(),
    places: fc.infiniteStream(fc.nat()),
    workloads: fc.array(workload, { minLength: 1, maxLength: 3 }),
    traffic: perhaps(traffic),
    failure: perhaps(failure),
  })
  .map(({ addressing, seed, hosts, backbone, balances, places, workloads, traffic, failure }) => {
    const pick = <Value>(from: readonly Value[]): Value => from[(places.next().value as number) % from.length]!;
    const routers = ["r0", ...backbone.map((_, i) => `r${i + 1}`)];
    const links = [
      ...backbone.map((between, i) => ({ ends: [routers[i]!, routers[i + 1]!], ...between })),
      ...hosts.flatMap((host, i) => host.links.map((link) => ({ ends: [`h${i}`, pick(routers)], ...link }))),
    ];
    const names = hosts.map((_, i) => `h${i}`);
    const placed = workloads.map((each) => {
      const one = pick(names);
      const other = pick(names.filter((name) => name !== one));
      const [from, to] = each.kind === "request-response" ? ["client", "server"] : ["from", "to"];
      return { ...each, [from]: one, [to]: other };
    });
    const numbered = <Value>(letter: string, values: readonly Value[]): Record<string, Value> =>
      Object.fromEntries(values.map((value, i) => [`${letter}${i}`, value]));
    return {
      topology: {
        version: 1,
        name: "network",
        addressing,
        hosts: Object.fromEntries(names.map((name) => [name, {}])),
        routers: Object.fromEntries(
          routers.map((name, i) => [name, balances && i === 0 ? { balance: "packets" } : {}]),
        ),
        links: numbered("l", links),
      },
      experiment: {
        version: 1,
        name: "random",
        topology: "network.yaml",
        on: "simulation",
        seed,
        hosts: numbered(
          "h",
          hosts.map((host) => host.settings),
        ),
        workload: numbered("w", placed),
        ...(traffic && { traffic: { crowd: traffic } }),
        ...(failure && { faults: faultsOf(failure, links.length) }),
        expect: {
          ...numbered(
            "w",
            placed.map(() => ({ intact: true })),
          ),
          ...(traffic && { crowd: { intact: true } }),
        },
      },
    };
  });

function faultsOf({ link, at, lasting, pair, reroute }: Failure, links: number): object[] {
  const [fails, returns] = pair;
  const noticed = fails === "blackhole" && reroute !== undefined ? { reroute } : {};
  const name = `l${link % links}`;
  return [
    { at: `${at}ms`, link: name, do: fails, ...noticed },
    { at: `${at + lasting}ms`, link: name, do: returns, ...noticed },
  ];
}
