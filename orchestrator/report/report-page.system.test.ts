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

  it("draws every chart and asks for nothing from elsewhere", async () => {
    const pixels = await inked();
    expect(pixels).to.have.length(7);
    for (const count of pixels) expect(count).to.be.above(5000);
    expect(requests.filter((url) => !url.startsWith("file:"))).to.deep.equal([]);
  });

  it("shows values of all charts under one cursor", async () => {
    await page.hover("figure[data-chart=throughput-video] .u-over", { position: { x: 300, y: 50 } });
    const values = await page.$$eval("figure", (figures) =>
      figures.map((figure) => figure.querySelector(".legend .value")?.textContent ?? ""),
    );
    expect(values.slice(0, 5).every((value) => value !== "")).to.equal(true, JSON.stringify(values));
  });

  it("marks an event's moment in the charts, and finds the event nearest to a click into a chart", async () => {
    const before = await page.locator("figure[data-chart=window] canvas").screenshot();
    await page.click("tr[data-source=fault] >> nth=0");
    expect(await page.$$eval("tr.pinned", (rows) => rows.map((row) => row.getAttribute("data-time")))).to.deep.equal([
      "10",
    ]);
    const after = await page.locator("figure[data-chart=window] canvas").screenshot();
    expect(before.equals(after)).to.equal(false);
    await page.click("figure[data-chart=throughput-video] .u-over", { position: { x: 654, y: 50 } });
    expect(await page.$$eval("tr.pinned", (rows) => rows.map((row) => row.getAttribute("data-source")))).to.deep.equal([
      "fault",
    ]);
  });

  it("zooms all charts together and back", async () => {
    const ticks = (): Promise<Buffer> => page.locator("figure[data-chart=queue] canvas").screenshot();
    await page.mouse.move(0, 0);
    const before = await ticks();
    await page.locator("figure[data-chart=throughput-video] .u-over").scrollIntoViewIfNeeded();
    const box = (await page.locator("figure[data-chart=throughput-video] .u-over").boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 60, { steps: 4 });
    await page.mouse.up();
    expect((await ticks()).equals(before)).to.equal(false);
    await page.dblclick("figure[data-chart=queue] .u-over", { position: { x: 100, y: 60 } });
    await page.mouse.move(0, 0);
    await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
    expect((await ticks()).equals(before)).to.equal(true);
  });

  it("hides a series, filters events, and survives another width, colour scheme and print", async () => {
    await page.click("figure[data-chart=throughput-video] .legend button >> nth=0");
    expect(
      await page.getAttribute("figure[data-chart=throughput-video] .legend button >> nth=0", "aria-pressed"),
    ).to.equal("false");
    await page.fill(".filters input[type=search]", "restore");
    expect(await page.locator("tr[data-time]:visible").count()).to.equal(0);
    await page.fill(".filters input[type=search]", "packets pass");
    expect(await page.locator("tr[data-time]:visible").count()).to.equal(1);
    await page.setViewportSize({ width: 420, height: 800 });
    await page.emulateMedia({ colorScheme: "dark" });
    expect(
      await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
    ).to.equal(true);
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    for (const count of await inked()) expect(count).to.be.above(2000);
    expect(complaints).to.deep.equal([]);
  });
});
