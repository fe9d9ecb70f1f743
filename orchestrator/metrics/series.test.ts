import { expect } from "chai";
import type { MetricSample } from "./metric-sample.ts";
import { ratesOf, readSeries, seriesOfKind } from "./series.ts";

function subflow(time: number, path: string, bytesAcked: number): MetricSample {
  return {
    kind: "subflow",
    time,
    host: "phone",
    connection: "1",
    subflow: `${path}-server`,
    path,
    state: "established",
    congestionWindowBytes: 10,
    smoothedRttMicroseconds: 1,
    bytesInFlight: 0,
    bytesAcked,
    bytesReceived: 0,
    retransmissions: 0,
  };
}

describe("readSeries", () => {
  it("makes a series of each entity, in the order of time, with NaN where nothing was measured", () => {
    const series = readSeries([
      subflow(200, "wifi", 30),
      subflow(100, "wifi", 10),
      subflow(100, "3g", 5),
      { kind: "workload", time: 100, workload: "bulk", bytes: 1, goodputBitsPerSecond: 80 },
    ]);
    expect(series.map(({ kind, entity }) => `${kind}: ${entity}`)).to.deep.equal([
      "subflow: phone 1 wifi-server",
      "subflow: phone 1 3g-server",
      "workload: bulk",
    ]);
    const [wifi] = seriesOfKind(series, "subflow");
    expect(wifi?.times).to.deep.equal([100, 200]);
    expect(wifi?.columns.bytesAcked).to.deep.equal([10, 30]);
    expect(wifi?.columns.slowStartThresholdBytes).to.deep.equal([NaN, NaN]);
    expect(wifi?.first.path).to.equal("wifi");
  });

  it("derives rates of a counter", () => {
    expect(ratesOf([0, 1000, 3000], [0, 1000, 1000])).to.deep.equal([NaN, 8_000_000, 0]);
  });
});
