/** The topology as SVG: placed by dagre, drawn here; each link with what it was set to, what it measured and what it carried. */
import { Graph, layout } from "@dagrejs/dagre";
import { addressesOf } from "../plan/plan.ts";
import type { PlannedLink, PlannedNode } from "../plan/plan.ts";
import { printRate, printSize, printTime } from "../verdict/quantity.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { neutralColour } from "./palette.ts";
import type { Palette } from "./palette.ts";
import { countedInRun, seriesOf } from "./run-view.ts";
import type { RunView } from "./run-view.ts";

interface Placed {
  readonly x: number;
  readonly y: number;
}

const leastNodeWidth = 132;
const labelLineHeight = 15;
/** Of the label's font, roughly: dagre needs to know before a browser can say. */
const characterWidth = 6.1;
const margin = 12;

export function drawTopology(run: RunView, palette: Palette): Html {
  const { nodes, links } = run.plan;
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 34, ranksep: 30, edgesep: 26, marginx: margin, marginy: margin });
  for (const node of nodes) graph.setNode(node.name, { width: nodeWidth(node), height: nodeHeight(node) });
  const labels = new Map(links.map((link) => [link.name, linkLabel(run, link)]));
  for (const { name, ends } of links) {
    const lines = labels.get(name)!;
    const width = Math.max(...lines.map((line) => line.length)) * characterWidth + 12;
    graph.setEdge(
      ends[0].node,
      ends[1].node,
      { width, height: lines.length * labelLineHeight + 8, labelpos: "c" },
      name,
    );
  }
  layout(graph);
  const { width, height } = graph.graph() as { width: number; height: number };
  const drawnLinks = links.map((link) => {
    const edge = graph.edge({ v: link.ends[0].node, w: link.ends[1].node, name: link.name }) as Placed & {
      points: readonly Placed[];
    };
    return drawLink(
      link,
      edge,
      labels.get(link.name)!,
      palette.path(link.name) ?? neutralColour,
      strokeWidth(run, link),
    );
  });
  const drawnNodes = nodes.map((node) => drawNode(node, graph.node(node.name) as Placed));
  const title = `${nodes.length} nodes, ${links.length} links`;
  return html`<svg
    class="topology"
    viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}"
    style="max-width:${Math.ceil(width * 1.15)}px"
    role="img"
    aria-label="${title}"
  >
    <title>${title}</title>
    ${drawnLinks}${drawnNodes}
  </svg>`;
}

function nodeHeight(node: PlannedNode): number {
  return node.endpoint === undefined ? 34 : 48 + facesOf(node).length * 14;
}

/** Addresses of hosts are written in them; those of IPv6 may be long. */
function nodeWidth(node: PlannedNode): number {
  const longest = Math.max(0, ...facesOf(node).map((face) => face.length));
  return Math.max(leastNodeWidth, Math.ceil(longest * characterWidth + 16));
}

/** A line for each address: an interface of both families has two. */
function facesOf({ interfaces, endpoint }: PlannedNode): string[] {
  if (endpoint === undefined) return [];
  return interfaces.flatMap((planned) => addressesOf(planned).map(({ address }) => `${planned.name} ${address}`));
}

function drawNode(node: PlannedNode, { x, y }: Placed): Html {
  const [width, height] = [nodeWidth(node), nodeHeight(node)];
  const [left, top] = [x - width / 2, y - height / 2];
  return html`<g class="node ${node.kind}">
    <rect x="${left}" y="${top}" width="${width}" height="${height}" rx="${node.kind === "host" ? 6 : 17}" />
    <text x="${x}" y="${node.endpoint === undefined ? y + 4.5 : top + 19}" class="name">${node.name}</text>
    ${node.endpoint === undefined ? "" : html`<text x="${x}" y="${top + 34}" class="kind">${node.endpoint.kind}</text>`}
    ${facesOf(node).map((face, index) => html`<text x="${x}" y="${top + 50 + index * 14}" class="address">${face}</text>`)}
  </g>`;
}

function drawLink(
  { name }: PlannedLink,
  { x, y, points }: Placed & { points: readonly Placed[] },
  lines: readonly string[],
  colour: string,
  width: number,
): Html {
  const half = (lines.length * labelLineHeight) / 2;
  const boxWidth = Math.max(...lines.map((line) => line.length)) * characterWidth + 8;
  return html`<g class="link" data-link="${name}">
    <path d="${smooth(points)}" style="stroke:var(${colour});stroke-width:${width}" />
    <rect
      class="behind"
      x="${round(x - boxWidth / 2)}"
      y="${round(y - half - 3)}"
      width="${round(boxWidth)}"
      height="${round(half * 2 + 6)}"
      rx="4"
    />
    ${lines.map(
      (line, index) =>
        html`<text
          x="${round(x)}"
          y="${round(y - half + index * labelLineHeight + 11)}"
          class="${index === 0 ? "title" : "figure"}"
          ${index === 0 ? html`style="fill:var(${colour})"` : ""}
          >${line}</text
        >`,
    )}
  </g>`;
}

/** Through the middles between dagre's points, each point pulling the curve. */
function smooth(points: readonly Placed[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const parts = [`M${round(first.x)} ${round(first.y)}`];
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    if (next === undefined) parts.push(`L${round(point.x)} ${round(point.y)}`);
    else
      parts.push(
        `Q${round(point.x)} ${round(point.y)} ${round((point.x + next.x) / 2)} ${round((point.y + next.y) / 2)}`,
      );
  });
  return parts.join("");
}

function linkLabel(run: RunView, link: PlannedLink): string[] {
  const { rateBitsPerSecond: up, delayMicroseconds: delay, queue } = link.forward;
  const down = link.backward.rateBitsPerSecond;
  const rate =
    up === undefined
      ? []
      : [up === down || down === undefined ? printRate(up) : `${printRate(up)} up, ${printRate(down)} down`];
  const buffer = [
    ...(queue?.timeMicroseconds === undefined ? [] : [`${printTime(queue.timeMicroseconds)} queue`]),
    ...(queue?.bytes === undefined ? [] : [`${printSize(queue.bytes)} queue`]),
    ...(queue?.packets === undefined ? [] : [`queue of ${queue.packets} packets`]),
  ];
  const shape = [...rate, ...(delay === undefined ? [] : [printTime(delay)]), ...buffer].join(" · ");
  const measured = run.links.measurements.find(
    (measurement) => measurement.link === link.name && measurement.direction === "backward",
  )?.measured;
  const figures =
    measured === undefined
      ? []
      : [
          `measured ${measured.rateBitsPerSecond === undefined ? "" : `${printRate(measured.rateBitsPerSecond)} · `}${printTime(measured.delayMicroseconds)}`,
        ];
  const carried = carriedBytes(run, link.name);
  return [
    link.name,
    ...(shape === "" ? [] : [shape]),
    ...figures,
    ...(carried === undefined ? [] : [`carried ${printSize(carried)}`]),
  ];
}

/** Both directions together; undefined where nobody counted. */
function carriedBytes(run: RunView, link: string): number | undefined {
  const counted = seriesOf(run, "link").filter(({ first }) => first.link === link);
  return counted.length === 0
    ? undefined
    : counted.reduce((sum, series) => sum + (countedInRun(series, "bytes").at(-1) ?? 0), 0);
}

/** Wider for what carried more of all bytes. */
function strokeWidth(run: RunView, { name }: PlannedLink): number {
  const all = run.plan.links.map((link) => carriedBytes(run, link.name) ?? 0);
  const most = Math.max(...all);
  const own = carriedBytes(run, name);
  return own === undefined || most === 0 ? 1.5 : round(2 + (4 * own) / most);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
