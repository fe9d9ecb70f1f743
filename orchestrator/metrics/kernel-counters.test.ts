import { expect } from "chai";
import { assertKernelTraps, kernelCounterDifference, parseKernelCounters } from "./kernel-counters.ts";

const netstat = `TcpExt: SyncookiesSent TCPTimeouts
TcpExt: 0 3
IpExt: InNoRoutes InOctets
IpExt: 1 5000
MPTcpExt: MPCapableSYNRX MPJoinSynRx Blackhole
MPTcpExt: 1 2 0
Tcp: RtoAlgorithm MaxConn RetransSegs
Tcp: 1 -1 9
`;

describe("kernel counters", () => {
  it("reads the groups of TCP and MPTCP and leaves the others out", () => {
    expect(parseKernelCounters(netstat)).to.deep.equal({
      "TcpExt.SyncookiesSent": 0,
      "TcpExt.TCPTimeouts": 3,
      "MPTcpExt.MPCapableSYNRX": 1,
      "MPTcpExt.MPJoinSynRx": 2,
      "MPTcpExt.Blackhole": 0,
      "Tcp.RtoAlgorithm": 1,
      "Tcp.MaxConn": -1,
      "Tcp.RetransSegs": 9,
    });
  });

  it("refuses lines that do not pair up", () => {
    expect(() => parseKernelCounters("TcpExt: A B\nTcpExt: 1")).to.throw(SyntaxError, "do not match");
  });

  it("keeps only what moved", () => {
    const before = parseKernelCounters(netstat);
    expect(kernelCounterDifference(before, { ...before, "MPTcpExt.MPJoinSynRx": 5 })).to.deep.equal({
      "MPTcpExt.MPJoinSynRx": 3,
    });
  });

  it("tells each trap that was fallen into, save those that were meant", () => {
    const difference = { "MPTcpExt.Blackhole": 1, "MPTcpExt.MPFailTx": 2, "MPTcpExt.MPJoinSynRx": 4 };
    expect(assertKernelTraps(difference).map(({ counter, value }) => [counter, value])).to.deep.equal([
      ["MPTcpExt.Blackhole", 1],
      ["MPTcpExt.MPFailTx", 2],
    ]);
    expect(assertKernelTraps(difference, ["MPTcpExt.MPFailTx"])).to.have.length(1);
  });
});
