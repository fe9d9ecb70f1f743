import { expect } from "chai";
import { Log } from "./log.ts";

describe("the endpoint's log", () => {
  it("is a line of JSON a record, with time, level, message and what belongs to it", () => {
    const lines: string[] = [];
    new Log("info", (line) => lines.push(line)).warning("wlan0\nis gone", { interface: "wlan0" });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^\{[^\n]*\}\n$/);
    const { time, ...record } = JSON.parse(lines[0]!);
    expect(new Date(time).toISOString()).to.equal(time);
    expect(record).to.deep.equal({ level: "warning", message: "wlan0\nis gone", interface: "wlan0" });
  });

  it("leaves out what is below its level", () => {
    const lines: string[] = [];
    const log = new Log("warning", (line) => lines.push(line));
    log.debug("a decision");
    log.info("a milestone");
    log.warning("a problem");
    log.error("the end");
    expect(lines.map((line) => JSON.parse(line).level)).to.deep.equal(["warning", "error"]);
    expect([log.has("info"), log.has("error")]).to.deep.equal([false, true]);
  });
});
