import { expect } from "chai";
import { GatewayRecords } from "./gateway-records.ts";

describe("what a gateway writes", () => {
  it("is the run's where it speaks of connections, and else its log, however it is cut", () => {
    const lines = [
      '{"type":"ready"}',
      '{"type":"metrics","time":5,"connection":{"id":"1"},"subflows":[]}',
      '{"type":"event","time":6,"event":{"name":"mptcp:fallback"}}',
      '{"type":"carried","to":"10.0.5.2:5001"}',
      "",
    ].join("\n");
    for (const size of [1, 7, lines.length]) {
      const told: unknown[] = [];
      const records = new GatewayRecords((record) => told.push([record.type, "time" in record ? record.time : 0]));
      let log = "";
      for (let at = 0; at < lines.length; at += size) log += records.takeFrom(lines.slice(at, at + size));
      expect(told).to.deep.equal([
        ["metrics", 5],
        ["event", 6],
      ]);
      expect(log).to.equal('{"type":"ready"}\n{"type":"carried","to":"10.0.5.2:5001"}\n');
    }
  });
});
