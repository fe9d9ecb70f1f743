import { expect } from "chai";
import { PlayerProgressReader } from "./player-progress.ts";

const report = (frame: number, microseconds: number | "N/A", progress = "continue"): string =>
  `frame=${frame}\nfps=25.00\nbitrate=N/A\nout_time_us=${microseconds}\nout_time=00:00:01.000000\nspeed=   1x\nprogress=${progress}\n`;

describe("what ffmpeg -progress writes", () => {
  it("is read however the pipe cuts it", () => {
    const text = report(0, "N/A") + report(1, 0) + report(26, 1_000_000) + report(50, 2_000_000, "end");
    const reader = new PlayerProgressReader();
    for (let at = 0; at < text.length; at++) reader.push(text[at]!, at);
    expect(reader.reports.map(({ frames, mediaMicroseconds }) => [frames, mediaMicroseconds])).to.deep.equal([
      [1, 0],
      [26, 1_000_000],
      [50, 2_000_000],
    ]);
    expect(reader.reports.at(-1)!.at).to.equal(text.length - 1);
  });

  it("says nothing before the first picture, nor where something else is written", () => {
    const reader = new PlayerProgressReader();
    reader.push(`${report(0, "N/A")}Input #0, hls\nprogress=continue\n`, 1);
    expect(reader.reports).to.deep.equal([]);
  });
});
