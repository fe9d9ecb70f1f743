import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openBundle } from "../bundle/open-bundle.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { writeBulkBundle, writeFailoverBundle } from "./fixture/fixture-bundle.ts";
import { renderPage } from "./render-page.ts";
import { renderReports } from "./render-report.ts";

describe("report.html", function () {
  this.timeout(120_000);
  let parent: string;
  let bulk: string;
  let failover: string;
  before(async () => {
    parent = mkdtempSync(join(tmpdir(), "pathlab-report-"));
    bulk = await writeBulkBundle(parent);
    failover = await writeFailoverBundle(parent);
  });
  after(() => rmSync(parent, { recursive: true }));

  const page = (directory: string): string => readFileSync(join(directory, "report.html"), "utf8");

  it("is the same, byte for byte, when it is made again", async () => {
    const first = page(bulk);
    await renderReports(bulk);
    expect(page(bulk) === first).to.equal(true);
    expect((await verifyBundle(bulk)).problems).to.deep.equal([]);
  });

  it("leaves what was changed since the run to be found", async () => {
    const own = mkdtempSync(join(tmpdir(), "pathlab-report-"));
    try {
      const directory = await writeFailoverBundle(own);
      appendFileSync(join(directory, "counters.json"), "\n");
      await renderReports(directory);
      expect((await verifyBundle(directory)).problems.map(({ file }) => file)).to.deep.equal(["counters.json"]);
    } finally {
      rmSync(own, { recursive: true });
    }
  });

  it("refers to nothing outside itself", () => {
    for (const text of [page(bulk), page(failover)]) {
      const withoutComments = text.replaceAll(/\/\*![\s\S]*?\*\//g, "");
      expect(withoutComments).not.to.match(
        /(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest|https?:\/\/(?!www\.w3\.org)/,
      );
    }
  });

  it("is small", () => {
    expect(page(bulk).length).to.be.below(500_000);
  });

  it("has the experiment's description in its head, as text", () => {
    for (const text of [page(bulk), page(failover)])
      expect(text).to.contain('<p class="description">Both paths &lt; one &amp; the other</p>');
  });

  it("says in its head how it came out", () => {
    expect(page(bulk)).to.contain(
      "download moved 24 MB over wifi and 3g at once at 9.09 Mbit/s, 1.19 times the 7.64 Mbit/s of tcp-wifi, every byte intact.",
    );
    expect(page(failover)).to.contain("video streamed 1.5 Mbit/s over wifi and 3g at once, without a stall");
    expect(page(failover)).to.contain("All 5 expectations hold.");
  });

  it("has a chart for each thing that was observed, the fault marked in all of them", async () => {
    const data = dataOf(page(failover));
    expect(data.charts.map(({ id }) => id)).to.deep.equal([
      "throughput-video",
      "goodput-video",
      "playback-video",
      "window",
      "round-trip",
      "queue",
      "drops",
    ]);
    for (const chart of data.charts) {
      expect(chart.spans).to.deep.equal([{ from: 10, to: 20, label: "wifi dead", colour: "--path-0" }]);
      for (const { values } of chart.series) expect(values).to.have.length(chart.times.length);
    }
    const [throughput] = data.charts;
    const carried = throughput!.series.map(({ values }) =>
      values.reduce<number>((sum, value) => sum + (value ?? 0) / 10 / 8, 0),
    );
    const { manifest } = await openBundle(failover);
    expect(manifest.outcome).to.equal("passed");
    expect(carried.reduce((sum, megabytes) => sum + megabytes, 0)).to.be.closeTo(5.625, 0.05);
  });

  it("gives a path one colour in all charts", () => {
    const colours = new Map<string, Set<string>>();
    for (const { series } of dataOf(page(bulk)).charts) {
      for (const { label, colour } of series) {
        const path = /^(wifi|3g)\b/.exec(label)?.[1];
        if (path !== undefined) colours.set(path, (colours.get(path) ?? new Set()).add(colour));
      }
    }
    expect([...colours].map(([path, those]) => [path, [...those]])).to.deep.equal([
      ["wifi", ["--path-0"]],
      ["3g", ["--path-1"]],
    ]);
  });

  it("lets nothing from a run become part of the page", async () => {
    const own = mkdtempSync(join(tmpdir(), "pathlab-report-"));
    try {
      const directory = await writeFailoverBundle(own);
      const event = { time: 1, source: "lab", subject: "</script><b>", name: "x", message: "<img onerror=alert(1)>" };
      appendFileSync(join(directory, "events.ndjson"), `${JSON.stringify(event)}\n`);
      const text = await renderPage(await openBundle(directory));
      expect(text).not.to.contain("<img");
      expect(text).not.to.contain("</script><b>");
    } finally {
      rmSync(own, { recursive: true });
    }
  });
});

interface ChartData {
  readonly charts: readonly {
    readonly id: string;
    readonly times: readonly number[];
    readonly series: readonly {
      readonly label: string;
      readonly colour: string;
      readonly values: readonly (number | null)[];
    }[];
    readonly spans: readonly object[];
  }[];
}

function dataOf(page: string): ChartData {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!) as ChartData;
}
