/** A drawing of values over a few named places: lines with a mark at each value. */

export interface LineChart {
  readonly title: string;
  /** Under and beside the axes. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly places: readonly string[];
  readonly series: readonly LineSeries[];
}

export interface LineSeries {
  readonly label: string;
  /** `published`: dashed, hollow marks. `bound`: a dotted line without marks. */
  readonly style: "measured" | "published" | "bound";
  /** Series of one colour belong together. */
  readonly colour: number;
  /** As many as there are places. */
  readonly values: readonly (number | undefined)[];
}

const width = 720;
const height = 400;
const frame = { left: 60, right: 210, top: 40, bottom: 50 };
/** Of Okabe and Ito: told apart by the colour-blind, too. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

export function drawLineChart({ title, xLabel, yLabel, places, series }: LineChart): string {
  const innerWidth = width - frame.left - frame.right;
  const innerHeight = height - frame.top - frame.bottom;
  const top = niceTop(Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const x = (place: number): number => round(frame.left + ((place + 0.5) * innerWidth) / places.length);
  const y = (value: number): number => round(frame.top + innerHeight * (1 - value / top.value));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${frame.left}" y="22" font-size="15">${escape(title)}</text>`,
  ];
  for (let tick = 0; tick <= top.value + top.step / 2; tick += top.step) {
    const at = y(tick);
    lines.push(
      `<line x1="${frame.left}" x2="${width - frame.right}" y1="${at}" y2="${at}" stroke="#dddddd"/>`,
      `<text x="${frame.left - 6}" y="${at + 4}" text-anchor="end">${Number(tick.toPrecision(3))}</text>`,
    );
  }
  places.forEach((place, index) =>
    lines.push(`<text x="${x(index)}" y="${height - frame.bottom + 18}" text-anchor="middle">${escape(place)}</text>`),
  );
  lines.push(
    `<text x="${frame.left + innerWidth / 2}" y="${height - 12}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text transform="translate(16 ${frame.top + innerHeight / 2}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`,
  );
  series.forEach(({ label, style, colour, values }, index) => {
    const stroke = colours[colour % colours.length]!;
    const dashes = { measured: "", published: ' stroke-dasharray="6 4"', bound: ' stroke-dasharray="2 3"' }[style];
    const fill = style === "published" ? "#ffffff" : stroke;
    const points = values.flatMap((value, place) => (value === undefined ? [] : [[x(place), y(value)] as const]));
    lines.push(
      `<polyline points="${points.map((point) => point.join(",")).join(" ")}" fill="none" stroke="${stroke}" stroke-width="1.5"${dashes}/>`,
    );
    if (style !== "bound")
      for (const [cx, cy] of points)
        lines.push(`<circle cx="${cx}" cy="${cy}" r="4" fill="${fill}" stroke="${stroke}"/>`);
    const at = frame.top + 8 + index * 20;
    const from = width - frame.right + 12;
    lines.push(
      `<line x1="${from}" x2="${from + 24}" y1="${at}" y2="${at}" stroke="${stroke}" stroke-width="1.5"${dashes}/>`,
      ...(style === "bound" ? [] : [`<circle cx="${from + 12}" cy="${at}" r="4" fill="${fill}" stroke="${stroke}"/>`]),
      `<text x="${from + 30}" y="${at + 4}">${escape(label)}</text>`,
    );
  });
  return `${[...lines, "</svg>"].join("\n")}\n`;
}

/** The axis ends at a whole number of steps of 1, 2 or 5 times a power of ten. */
function niceTop(most: number): { readonly value: number; readonly step: number } {
  const power = 10 ** Math.floor(Math.log10(most / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => most / candidate <= 6)!;
  return { value: Math.ceil(most / step) * step, step };
}

const round = (value: number): number => Math.round(value * 10) / 10;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
