import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { writeFailoverBundle } from "./fixture/fixture-bundle.ts";

const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe("report.html in Chromium", function () {
  this.timeout(60_000);
  let parent: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  before(async () => {
    parent = mkdtempSync(join(tmpdir(), "pathlab-page-"));
    const directory = await writeFailoverBundle(parent);
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: chromiumFlags });
    page = await browser.newPage({ viewport: { width: 1160, height: 900 } });
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(join(directory, "report.html")).href);
  });
  after(async () => {
    await browser?.close();
    rmSync(parent, { recursive: true });
  });

  /** Pixels of each chart's canvas that are not transparent. */
  const inked = (): Promise<number[]> =>
    page.$$eval("figure canvas", (canvases) =>
      canvases.map((element) => {
        const canvas = element as unknown as {
          width: number;
          height: number;
          getContext(kind: "2d"): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8Array } };
        };
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) count += 1;
        return count;
      }),
    );

  /**
   * What `read` finds once it is as expected: a page answers an event with a later frame, so nothing is looked at
   * only once. After ten seconds' worth of frames the last value comes back as it is, for the assertion to show.
   */
  const settled = async <T>(read: () => Promise<T>, expected: (value: T) => boolean): Promise<T> => {
    let value = await read();
    for (let frame = 0; frame < 600 && !expected(value); frame += 1) {
      await page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
      value = await read();
    }
    return value;
  };
  const picture = (chart: string): Promise<Buffer> => page.locator(`figure[data-chart=${chart}] canvas`).screenshot();
  /** A picture of what no longer changes: the same in two frames. */
  const still = async (chart: string): Promise<Buffer> => {
    let last = await picture(chart);
    await settled(
      async () => {
        const now = await picture(chart);
        const same = now.equals(last);
        last = now;
        return same;
      },
      (same) => same,
    );
    return last;
  };
  const becomes = async (chart: string, same: boolean, before: Buffer): Promise<void> => {
    const after = await settled(
      () => picture(chart),
      (now) => now.equals(before) === same,
    );
    expect(after.equals(before)).to.equal(same, `the picture of ${chart}`);
  };
  const pinned = (attribute: string, expected: string): Promise<(string | null)[]> =>
    settled(
      () => page.$$eval("tr.pinned", (rows, name) => rows.map((row) => row.getAttribute(name)), attribute),
      (values) => values.join() === expected,
    );
  const visibleEvents = (expected: number): Promise<number> =>
    settled(
      () => page.locator("tr[data-time]:visible").count(),
      (count) => count === expected,
    );

  it("draws every chart and asks for nothing from elsewhere", async () => {
    const pixels = await settled(inked, (counts) => counts.every((count) => count > 5000));
    expect(pixels).to.have.length(7);
    for (const count of pixels) expect(count).to.be.above(5000);
    expect(requests.filter((url) => !url.startsWith("file:"))).to.deep.equal([]);
  });

  it("shows values of all charts under one cursor", async () => {
    await page.hover("figure[data-chart=throughput-video] .u-over", { position: { x: 300, y: 50 } });
    const values = await settled(
      () =>
        page.$$eval("figure", (figures) =>
          figures.slice(0, 5).map((figure) => figure.querySelector(".legend .value")?.textContent ?? ""),
        ),
      (texts) => !texts.includes(""),
    );
    expect(values).to.have.length(5).and.not.include("");
  });

  it("marks an event's moment in the charts, and finds the event nearest to a click into a chart", async () => {
    const before = await still("window");
    await page.click("tr[data-source=fault] >> nth=0");
    expect(await pinned("data-time", "10")).to.deep.equal(["10"]);
    await becomes("window", false, before);
    await page.click("figure[data-chart=throughput-video] .u-over", { position: { x: 654, y: 50 } });
    expect(await pinned("data-source", "fault")).to.deep.equal(["fault"]);
  });

  it("zooms all charts together and back", async () => {
    await page.mouse.move(0, 0);
    const before = await still("queue");
    await page.locator("figure[data-chart=throughput-video] .u-over").scrollIntoViewIfNeeded();
    const box = (await page.locator("figure[data-chart=throughput-video] .u-over").boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await becomes("queue", false, before);
    await page.dblclick("figure[data-chart=queue] .u-over", { position: { x: 100, y: 60 } });
    await page.mouse.move(0, 0);
    await becomes("queue", true, before);
  });

  it("hides a series, filters events, and survives another width, colour scheme and print", async () => {
    const series = page.locator("figure[data-chart=throughput-video] .legend button").first();
    await series.click();
    expect(
      await settled(
        () => series.getAttribute("aria-pressed"),
        (pressed) => pressed === "false",
      ),
    ).to.equal("false");
    await page.fill(".filters input[type=search]", "restore");
    expect(await visibleEvents(0)).to.equal(0);
    await page.fill(".filters input[type=search]", "packets pass");
    expect(await visibleEvents(1)).to.equal(1);
    await page.setViewportSize({ width: 420, height: 800 });
    await page.emulateMedia({ colorScheme: "dark" });
    const beyond = (): Promise<number> =>
      page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    expect(await settled(beyond, (pixels) => pixels <= 0)).to.be.at.most(0);
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    const printed = await settled(inked, (counts) => counts.every((count) => count > 2000));
    for (const count of printed) expect(count).to.be.above(2000);
    expect(complaints).to.deep.equal([]);
  });
});
