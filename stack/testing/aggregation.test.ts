import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { bulkGoodput, type PathShape } from "./bulk-transfer.ts";
import { type PathCell, pathCells } from "./path-cells.ts";

const golden = join(import.meta.dirname, "golden", "aggregation.txt");
/** Losses are drawn anew in each. */
const seedsOfLosses = [1, 2, 3];

interface Row {
  cell: PathCell;
  /** Mbit/s of plain TCP over each path alone, and of MPTCP over both: the same stack, buffers and time, from `connect` on. */
  alone: readonly [number, number];
  together: number;
}

const alreadyMeasured = new Map<string, number>();

function tcpAlone(path: PathShape, { bufferBytes, seconds }: PathCell): number {
  const key = JSON.stringify([path, bufferBytes, seconds]);
  const known = alreadyMeasured.get(key);
  if (known !== undefined) return known;
  const goodput = mean(path.lossPercent > 0, (seed) => bulkGoodput([path], { bufferBytes, seconds, seed }));
  alreadyMeasured.set(key, goodput);
  return goodput;
}

function mean(loses: boolean, goodput: (seed: number) => number): number {
  const seeds = loses ? seedsOfLosses : [1];
  return seeds.reduce((sum, seed) => sum + goodput(seed), 0) / seeds.length;
}

function measure(cell: PathCell): Row {
  const { paths, bufferBytes, seconds, loses } = cell;
  const together = mean(loses, (seed) => bulkGoodput(paths, { bufferBytes, seconds, seed }));
  return { cell, alone: [tcpAlone(paths[0], cell), tcpAlone(paths[1], cell)], together };
}

const ofBest = ({ alone, together }: Row): number => together / Math.max(...alone);
const ofSum = ({ alone, together }: Row): number => together / (alone[0] + alone[1]);

const heading = `A bulk transfer over two paths in virtual time: plain TCP over each alone, MPTCP (LIA, lowest RTT first) over both; payload from connect on.
path: Mbit/s, RTT of the empty path in ms, what its queue holds in ms, frames lost at random. Goodput in Mbit/s.

path 1                   path 2                    buffer     s  TCP 1  TCP 2  MPTCP of best of sum
`;

function describePath({ megabitsPerSecond, rttMilliseconds, queueMilliseconds, lossPercent }: PathShape): string {
  return [
    String(megabitsPerSecond).padStart(3),
    `${rttMilliseconds} ms`.padStart(7),
    `${queueMilliseconds} ms`.padStart(8),
    `${lossPercent} %`.padStart(6),
  ].join("");
}

function describeRow(row: Row): string {
  const { cell, alone, together } = row;
  return [
    ...cell.paths.map(describePath),
    `${Math.round(cell.bufferBytes / 1_000)} kB`.padStart(7),
    cell.seconds.toFixed(1).padStart(5),
    ...[...alone, together].map((goodput) => goodput.toFixed(2).padStart(6)),
    ofBest(row).toFixed(2).padStart(6),
    ofSum(row).toFixed(2).padStart(7),
  ].join(" ");
}

/** The claims of Raiciu et al., NSDI'12, over a table that is a snapshot in git: `UPDATE_GOLDEN=1` writes it anew. */
describe("several paths together", function () {
  this.timeout(300_000);
  let rows: Row[];

  before(() => {
    rows = pathCells.map(measure);
  });

  const offenders = (claim: (row: Row) => boolean, holds: (row: Row) => boolean): string[] =>
    rows.filter((row) => claim(row) && !holds(row)).map(describeRow);

  it("are measured in 200 cells at least", () => {
    expect(rows.length).to.be.at.least(200);
  });

  it("are never below 0.95 of the best of them alone", () => {
    const claim = (): boolean => true;
    expect(offenders(claim, (row) => ofBest(row) >= 0.95)).to.deep.equal([]);
  });

  it("reach 0.9 of their sum where buffers and queues have room, and nothing but queues loses", () => {
    const claim = ({ cell }: Row): boolean => cell.hasRoom && cell.takesFirstFlight && !cell.loses;
    expect(rows.filter(claim).length).to.be.at.least(40);
    expect(offenders(claim, (row) => ofSum(row) >= 0.9)).to.deep.equal([]);
  });

  it("reach 0.8 of their sum where a first flight overflows a queue: the linked increase starts from less and is slower than TCP's (RFC 6356 §3)", () => {
    const claim = ({ cell }: Row): boolean => cell.hasRoom && !cell.loses;
    expect(offenders(claim, (row) => ofSum(row) >= 0.8)).to.deep.equal([]);
  });

  it("get what the table in git says", () => {
    const table = `${heading}${rows.map(describeRow).join("\n")}\n`;
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(golden, table);
    expect(table).to.equal(readFileSync(golden, "utf8"));
  });
});
