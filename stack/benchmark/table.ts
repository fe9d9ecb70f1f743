/** Tables in Markdown, aligned, so that they are read as text as well. */

export type Column<Row> = { title: string; align?: "left" | "right"; cell: (row: Row) => string };

export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, i) => Math.max(3, title.length, ...cells.map((row) => row[i]!.length)));
  const isLeft = columns.map(({ align = "right" }) => align === "left");
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, i) => (isLeft[i] ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join(" | ")} |`;
  const rule = widths.map((width, i) => (isLeft[i] ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(columns.map(({ title }) => title)), line(rule), ...cells.map(line)].join("\n");
}

/** Three significant digits, or all of an integer, without an exponent: 0.0123, 4.56, 78.9, 12,345; `-` for what is no number. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const digits = value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString("en", {
    minimumFractionDigits: Math.max(0, digits),
    maximumFractionDigits: Math.max(0, digits),
  });
}
