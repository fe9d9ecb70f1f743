/// <reference lib="dom" />
/** The list of events: filters, and both ways between an event and its moment in the charts. */
import { onMoment, pin, point } from "./moment.ts";

export function setUpTimeline(section: HTMLElement): void {
  const rows = [...section.querySelectorAll<HTMLTableRowElement>("tr[data-time]")];
  const boxes = [...section.querySelectorAll<HTMLInputElement>(".filters input[type=checkbox]")];
  const search = section.querySelector<HTMLInputElement>(".filters input[type=search]")!;
  const list = section.querySelector<HTMLElement>(".events")!;

  const filter = (): void => {
    const sources = new Set(boxes.filter(({ checked }) => checked).map(({ value }) => value));
    const wanted = search.value.trim().toLowerCase();
    for (const row of rows)
      row.hidden = !sources.has(row.dataset["source"]!) || !row.textContent.toLowerCase().includes(wanted);
  };
  for (const input of [...boxes, search]) input.addEventListener("input", filter);

  for (const row of rows) {
    const seconds = Number(row.dataset["time"]);
    row.addEventListener("mouseenter", () => point(seconds));
    row.addEventListener("mouseleave", () => point(undefined));
    row.addEventListener("click", (event) => {
      if (!(event.target as Element).closest("details")) pin(seconds);
    });
    row.addEventListener("keydown", ({ key, target }) => {
      if (key === "Enter" && target === row) pin(seconds);
    });
  }

  onMoment(({ pinned }) => {
    const visible = rows.filter((row) => !row.hidden);
    const nearest = pinned === undefined ? undefined : closest(visible, pinned);
    for (const row of rows) row.classList.toggle("pinned", row === nearest);
    if (nearest !== undefined) list.scrollTo({ top: nearest.offsetTop - list.clientHeight / 2 });
  });
}

function closest(rows: readonly HTMLTableRowElement[], seconds: number): HTMLTableRowElement | undefined {
  const distance = (row: HTMLTableRowElement): number => Math.abs(Number(row.dataset["time"]) - seconds);
  return rows.reduce<HTMLTableRowElement | undefined>(
    (best, row) => (best === undefined || distance(row) < distance(best) ? row : best),
    undefined,
  );
}
