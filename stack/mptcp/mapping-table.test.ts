import { expect } from "chai";
import { MappingTable } from "./mapping-table.ts";

describe("mappings of a subflow", () => {
  it("are found by any byte that they cover, and forgotten when consumed", () => {
    const table = new MappingTable();
    table.add(101, 5_100, 50, -1, 50);
    table.add(1, 0, 100, -1, 100);
    expect(table.find(1)?.dataStart).to.equal(0);
    expect(table.find(100)?.dataStart).to.equal(0);
    expect(table.find(101)?.dataStart).to.equal(5_100);
    expect(table.find(151)).to.equal(undefined);
    table.consume(101);
    expect([table.find(50), table.find(120)?.subflowStart]).to.deep.equal([undefined, 101]);
  });

  it("may be repeated, in whole or in part", () => {
    const table = new MappingTable();
    expect(table.add(1, 0, 100, -1, 100)).to.equal(true);
    expect(table.add(1, 0, 100, -1, 100)).to.equal(true);
    expect(table.add(41, 40, 30, -1, 30)).to.equal(true);
    expect(table.add(1, 0, 150, -1, 150)).to.equal(true);
    expect(table.find(140)?.length).to.equal(150);
  });

  it("may not give a byte another number", () => {
    const table = new MappingTable();
    table.add(1, 0, 100, -1, 100);
    expect(table.add(50, 500, 100, -1, 100)).to.equal(false);
  });

  it("are found in whichever order they are declared and consumed", () => {
    const table = new MappingTable();
    let declared = 1;
    let consumed = 1;
    const declare = (start: number) => expect(table.add(start, start * 3, 10, -1, 10)).to.equal(true);
    for (let round = 0; round < 2_000; round++) {
      // A pair that has changed places, then part of what stands there is done with.
      declare(declared + 10);
      declare(declared);
      declared += 20;
      if (round % 3 > 0) consumed += 25;
      table.consume(consumed);
      expect(table.find(consumed)?.dataStart).to.equal((consumed - ((consumed - 1) % 10)) * 3);
      expect(table.find(consumed - 10)).to.equal(undefined);
      expect(table.find(declared - 1)?.subflowStart).to.equal(declared - 10);
      expect(table.find(declared)).to.equal(undefined);
    }
  });
});
