/** The figures, by name of the experiment. Published values are those of the papers, or of their authors' simulator, as the pages in docs/papers tell. */
import type { Figure, FigureSeries } from "./figure.ts";
import { deviation, mean, type RunResults } from "./run-results.ts";

const bufferSizes = [100, 150, 200, 300, 400, 500, 600, 1000, 2000];
const download = (results: RunResults): number | undefined => results.goodput("download");
const at = (published: Readonly<Record<number, number>>, places: readonly number[]): (number | undefined)[] =>
  places.map((place) => published[place]);

function bufferSeries(label: string, colour: number, prefix: string): FigureSeries {
  const runs = bufferSizes.map((size) => (prefix === "both" && size === 200 ? "" : `${prefix}-${size}kb`));
  return { label, style: "measured", colour, runs, value: download };
}

/** Packets a second that all users of the triangle get over ways of so many of its links. */
function overLinks(results: RunResults, count: number): number {
  const payload = 1428;
  let packets = 0;
  for (const { subflows, connectedAt, endAt } of results.flows)
    for (const { links, bytesAcked } of subflows)
      if (links!.filter((link) => link.startsWith("link-")).length === count)
        packets += (bytesAcked * 1e6) / payload / (endAt! - connectedAt!);
  return packets;
}

/** Full packets a second of one transfer. */
const packets =
  (workload: string, payload: number) =>
  (results: RunResults): number | undefined => {
    const goodput = results.goodput(workload);
    return goodput === undefined ? undefined : (goodput * 1e6) / 8 / payload;
  };

const subflowCounts = [1, 2, 3, 4, 8];

const ratio = (results: RunResults): number => results.goodput("mptcp")! / results.goodput("tcp")!;

/** MPTCP : TCP over the shared bottleneck; with one subflow all coupled ones are the same. */
function ratioSeries(label: string, colour: number, prefix: string): FigureSeries {
  const name = (count: number): string =>
    prefix === "lia" && count === 2 ? "" : count === 1 && prefix !== "uncoupled" ? "lia-1" : `${prefix}-${count}`;
  return { label, style: "measured", colour, runs: subflowCounts.map(name), value: ratio };
}

const delays = [5, 10, 25, 50, 100];
const schedulers = ["min-rtt", "round-robin", "blest", "ecf"];
const handoverModes = [
  "",
  "backup",
  "interface-down",
  "backup-interface-down",
  "single-path",
  "single-path-interface-down",
];
const handoverPlaces = ["full", "backup", "full, down", "backup, down", "single", "single, down"];

function handover(title: string, workload: string, bounds: readonly number[]): Figure {
  return {
    title,
    xLabel: "mode, and whether the interface goes down",
    yLabel: "longest gap, s",
    places: handoverPlaces,
    series: [
      { label: "band: at most", style: "bound", colour: 1, values: bounds },
      {
        label: "pathlab",
        style: "measured",
        colour: 0,
        runs: handoverModes,
        value: (results) => results.longestGap(workload),
      },
    ],
  };
}

export const figures: Readonly<Record<string, Figure>> = {
  "receive-buffer": {
    title: "Download over WiFi and 3G against the receive buffer",
    xLabel: "receive buffer, kB",
    yLabel: "goodput, Mbit/s",
    places: bufferSizes.map(String),
    series: [
      {
        label: "TCP on WiFi",
        style: "measured",
        colour: 6,
        runs: bufferSizes.map(() => "tcp-on-wifi"),
        value: download,
      },
      bufferSeries("neither", 1, "plain"),
      {
        label: "authors: neither",
        style: "published",
        colour: 1,
        values: at({ 100: 2, 200: 2, 500: 2, 1000: 4.67, 2000: 7.01 }, bufferSizes),
      },
      bufferSeries("M1", 4, "m1"),
      {
        label: "authors: M1",
        style: "published",
        colour: 4,
        values: at({ 100: 2, 200: 2, 500: 2, 1000: 9.53, 2000: 9.87 }, bufferSizes),
      },
      bufferSeries("M1 and M2", 0, "both"),
      {
        label: "authors: M1 and M2",
        style: "published",
        colour: 0,
        values: at({ 100: 7.15, 200: 9.48, 500: 10, 1000: 9.87, 2000: 9.43 }, bufferSizes),
      },
    ],
  },
  "shared-bottleneck": {
    title: "MPTCP beside one TCP on a shared bottleneck",
    xLabel: "subflows",
    yLabel: "throughput of MPTCP : TCP",
    places: subflowCounts.map(String),
    series: [
      ratioSeries("LIA", 0, "lia"),
      {
        label: "authors: LIA",
        style: "published",
        colour: 0,
        values: at({ 1: 0.97, 2: 1.2, 3: 1.14, 4: 1.32, 8: 1.38 }, subflowCounts),
      },
      ratioSeries("OLIA", 2, "olia"),
      ratioSeries("BALIA", 3, "balia"),
      ratioSeries("Reno on each", 1, "uncoupled"),
      {
        label: "authors: Reno on each",
        style: "published",
        colour: 1,
        values: at({ 1: 1, 2: 1.95, 3: 3.2, 4: 4, 8: 7.9 }, subflowCounts),
      },
      { label: "bands", style: "bound", colour: 6, values: subflowCounts.map(() => 1.5) },
      { label: "Reno: at least", style: "bound", colour: 1, values: subflowCounts.map((count) => 0.85 * count) },
    ],
  },
  handover: handover("Handover under a download", "download", [1.5, 3, 0.65, 3, 2.225, 0.65]),
  "handover-questions": handover("Handover under questions every 400 ms", "voice", [1.5, 3, 0.65, 0.65, 2.225, 1]),
  "two-shaped-paths": {
    title: "16 MiB over two shaped paths",
    xLabel: "rates, Mbit/s, and one-way delays, ms",
    yLabel: "time, s",
    places: ["10 10, 0 0", "10 10, 1 25", "10 3, 0 0", "10 3, 1 25", "10 3, 25 1"],
    series: [
      {
        label: "bound of simult_flows",
        style: "bound",
        colour: 1,
        values: [7.86, 7.86, 11.87, 11.87, 11.87],
      },
      {
        label: "pathlab",
        style: "measured",
        colour: 0,
        runs: ["", "delays-1-and-25ms", "rates-10-and-3mbit", "slower-is-farther", "slower-is-nearer"],
        value: (results) => results.completion("upload"),
      },
    ],
  },
  "equal-paths": {
    title: "Two paths of 100 Mbit/s against the buffer",
    xLabel: "send and receive buffer, kB",
    yLabel: "goodput, Mbit/s",
    places: ["100", "250", "500", "1000", "2000", "4000", "8000"],
    series: [
      {
        label: "equal delays",
        style: "measured",
        colour: 0,
        runs: ["buffer-100kb", "buffer-250kb", "buffer-500kb", "buffer-1000kb", "", "buffer-4000kb", "buffer-8000kb"],
        value: (results) => results.goodput("upload"),
      },
      ...[10, 100, 500].map((delay, index): FigureSeries => ({
        label: `one ${delay} ms longer`,
        style: "measured",
        colour: index + 1,
        runs: [
          undefined,
          undefined,
          undefined,
          undefined,
          `delay-${delay}ms-buffer-2mb`,
          undefined,
          `delay-${delay}ms-buffer-8mb`,
        ],
        value: (results) => results.goodput("upload"),
      })),
      { label: "all that frames carry", style: "bound", colour: 6, values: Array.from({ length: 7 }, () => 188.6) },
    ],
  },
  "one-sequence-space": {
    title: "Two paths of 10 Mbit/s, one of 5 ms",
    xLabel: "delay of the other one, ms",
    yLabel: "goodput, Mbit/s",
    places: delays.map(String),
    series: [
      {
        label: "a sequence space each",
        style: "measured",
        colour: 0,
        runs: delays.map((delay) => (delay === 25 ? "" : `mptcp-${delay}ms`)),
        value: (results) => results.goodput("upload"),
      },
      {
        label: "one for both",
        style: "measured",
        colour: 1,
        runs: delays.map((delay) => `tcp-${delay}ms`),
        value: (results) => results.goodput("upload"),
      },
    ],
  },
  "without-reinjection": {
    title: "WiFi silent for ten seconds",
    xLabel: "what the sender does",
    yLabel: "longest gap, s",
    places: ["all", "no M1", "no M1, no re-injection"],
    series: [
      {
        label: "pathlab",
        style: "measured",
        colour: 0,
        runs: ["", "without-opportunistic-retransmission", "without-reinjection"],
        value: (results) => results.longestGap("download"),
      },
    ],
  },
  triangle: {
    title: "Three users of a triangle, together",
    xLabel: "congestion control",
    yLabel: "packets a second",
    places: ["LIA", "Reno on each"],
    series: [
      {
        label: "over one hop",
        style: "measured",
        colour: 0,
        runs: ["", "uncoupled"],
        value: (results) => overLinks(results, 1),
      },
      { label: "authors: one hop", style: "published", colour: 0, values: [2525, 1785] },
      {
        label: "over two hops",
        style: "measured",
        colour: 1,
        runs: ["", "uncoupled"],
        value: (results) => overLinks(results, 2),
      },
      { label: "authors: two hops", style: "published", colour: 1, values: [220, 570] },
    ],
  },
  "rtt-mismatch": {
    title: "Users of a far link, of a near one, and of both",
    xLabel: "congestion control of the user of both",
    yLabel: "packets a second",
    places: ["LIA", "Reno on each"],
    series: [
      ...(
        [
          ["far", 1448, [124, 123]],
          ["near", 1448, [348, 251]],
          ["both", 1428, [269, 366]],
        ] as const
      ).flatMap(([user, payload, published], colour): FigureSeries[] => [
        { label: user, style: "measured", colour, runs: ["", "uncoupled"], value: packets(user, payload) },
        { label: `authors: ${user}`, style: "published", colour, values: published },
      ]),
    ],
  },
  torus: {
    title: "Five users on five links, one of them slower",
    xLabel: "packets a second of the slower one, of 1000",
    yLabel: "Jain's index",
    places: ["1000", "500", "250", "100"],
    series: [
      {
        label: "LIA",
        style: "measured",
        colour: 0,
        runs: ["lia-1000", "lia-500", "", "lia-100"],
        value: (results) => results.fairness("users"),
      },
      { label: "authors: LIA", style: "published", colour: 0, values: [0.996, 0.991, 0.987, 0.977] },
      {
        label: "Reno on each",
        style: "measured",
        colour: 1,
        runs: ["uncoupled-1000", "uncoupled-500", "uncoupled", "uncoupled-100"],
        value: (results) => results.fairness("users"),
      },
      { label: "authors: Reno on each", style: "published", colour: 1, values: [1, 0.981, 0.956, 0.931] },
    ],
  },
  "access-points": {
    title: "What users of two access points leave to ten users of the second",
    xLabel: "users of both",
    yLabel: "Mbit/s for each of the ten",
    places: ["10", "20", "30"],
    series: [
      {
        label: "LIA",
        style: "measured",
        colour: 0,
        runs: ["lia-10", "lia-20", "lia-30"],
        value: (results) => mean(results.goodputs("alone")),
      },
      { label: "authors: LIA", style: "published", colour: 0, values: [0.66, 0.5, 0.4] },
      {
        label: "OLIA",
        style: "measured",
        colour: 2,
        runs: ["", "olia-20", "olia-30"],
        value: (results) => mean(results.goodputs("alone")),
      },
    ],
  },
  "static-wifi-3g": {
    title: "WiFi of 14.4 and 3G of 2.1 Mbit/s",
    xLabel: "transport",
    yLabel: "goodput, Mbit/s",
    places: ["TCP on WiFi", "MPTCP"],
    series: [
      { label: "pathlab", style: "measured", colour: 0, runs: ["tcp-on-wifi", ""], value: download },
      { label: "authors", style: "published", colour: 0, values: [14.4, 17.3] },
      { label: "95 % of the sum's payload", style: "bound", colour: 1, values: [undefined, 15] },
    ],
  },
  "schedulers-bulk": {
    title: "A download over WiFi and 3G, by scheduler",
    xLabel: "scheduler",
    yLabel: "goodput, Mbit/s",
    places: schedulers,
    series: [
      {
        label: "pathlab",
        style: "measured",
        colour: 0,
        runs: ["", "round-robin", "blest", "ecf"],
        value: download,
      },
    ],
  },
  "schedulers-application-limited": {
    title: "Blocks of 8 kB at 500 kbit/s, by scheduler",
    xLabel: "scheduler",
    yLabel: "ms",
    places: schedulers,
    series: [
      {
        label: "mean delay",
        style: "measured",
        colour: 0,
        runs: ["", "round-robin", "blest", "ecf"],
        value: (results) => mean(results.latencies("blocks")),
      },
      {
        label: "standard deviation",
        style: "measured",
        colour: 1,
        runs: ["", "round-robin", "blest", "ecf"],
        value: (results) => deviation(results.latencies("blocks")),
      },
    ],
  },
  "schedulers-burst": {
    title: "A burst of ten segments over 10 and 100 ms, by scheduler",
    xLabel: "scheduler",
    yLabel: "ms",
    places: schedulers,
    series: [
      {
        label: "median",
        style: "measured",
        colour: 0,
        runs: ["min-rtt", "round-robin", "", "ecf"],
        value: (results) => results.latencies("bursts").toSorted((a, b) => a - b)[29],
      },
      {
        label: "longest",
        style: "measured",
        colour: 1,
        runs: ["min-rtt", "round-robin", "", "ecf"],
        value: (results) => Math.max(...results.latencies("bursts")),
      },
    ],
  },
  "fat-tree-permutation": {
    title: "A permutation in a fat tree of 16 hosts",
    xLabel: "subflows",
    yLabel: "share of what frames carry, and Jain's index",
    places: subflowCounts.map(String),
    series: [
      {
        label: "mean share",
        style: "measured",
        colour: 0,
        runs: ["subflows-1", "subflows-2", "subflows-3", "subflows-4", ""],
        value: (results) => mean(results.goodputs("shuffle")) / 94.3,
      },
      {
        label: "max-min model",
        style: "published",
        colour: 0,
        values: [0.596, 0.734, 0.81, 0.863, 0.94],
      },
      {
        label: "Jain's index",
        style: "measured",
        colour: 1,
        runs: ["subflows-1", "subflows-2", "subflows-3", "subflows-4", ""],
        value: (results) => results.fairness("shuffle"),
      },
    ],
  },
  "fat-tree-slow-link": {
    title: "One link of a fat tree slowed to a tenth",
    xLabel: "subflows",
    yLabel: "share of what frames carry",
    places: ["1", "8"],
    series: [
      {
        label: "mean",
        style: "measured",
        colour: 0,
        runs: ["one-subflow", ""],
        value: (results) => mean(results.goodputs("shuffle")) / 94.3,
      },
      {
        label: "least",
        style: "measured",
        colour: 1,
        runs: ["one-subflow", ""],
        value: (results) => Math.min(...results.goodputs("shuffle")) / 94.3,
      },
    ],
  },
};
