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
});
