import { expect } from "chai";
import { PlaybackBuffer } from "./playback-buffer.ts";

/** 8 Mbit/s: one byte is one microsecond of media. */
function buffer(totalBytes: number = 1_000_000): PlaybackBuffer {
  return new PlaybackBuffer({ rateBitsPerSecond: 8_000_000, thresholdMicroseconds: 1000, totalBytes });
}

describe("PlaybackBuffer", () => {
  it("begins to play in the microsecond in which the threshold is reached", () => {
    const playback = buffer();
    playback.arrived(600, 100);
    expect(playback.state).to.equal("buffering");
    expect(playback.levelMicroseconds(500)).to.equal(600);
    playback.arrived(400, 700);
    expect(playback.state).to.equal("playing");
    expect(playback.startedAt).to.equal(700);
    expect(playback.pollTimeout()).to.equal(1700);
    expect(playback.levelMicroseconds(1200)).to.equal(500);
  });

  it("counts a stall from running empty to the threshold, not to the first byte", () => {
    const playback = buffer();
    playback.arrived(1000, 0);
    playback.handleTimeout(1000);
    expect(playback.stalledSince).to.equal(1000);
    playback.arrived(999, 5000);
    expect(playback.stalls).to.deep.equal([]);
    playback.arrived(1, 6000);
    expect(playback.stalls).to.deep.equal([{ at: 1000, microseconds: 5000 }]);
    expect(playback.pollTimeout()).to.equal(7000);
  });

  it("knows a stall's true begin even when nobody called at its time", () => {
    const playback = buffer();
    playback.arrived(1000, 0);
    playback.arrived(1000, 2500);
    expect(playback.stalls).to.deep.equal([{ at: 1000, microseconds: 1500 }]);
  });

  it("does not stall when bytes come in the very microsecond in which it runs empty", () => {
    const playback = buffer();
    playback.arrived(1000, 0);
    playback.arrived(10, 1000);
    expect(playback.state).to.equal("playing");
    expect(playback.pollTimeout()).to.equal(1010);
  });

  it("plays the rest of a short stream without a stall at its end", () => {
    const playback = buffer(500);
    playback.arrived(500, 40);
    expect(playback.startedAt).to.equal(40);
    playback.handleTimeout(540);
    expect(playback.state).to.equal("finished");
    expect(playback.stalls).to.deep.equal([]);
    expect(playback.pollTimeout()).to.equal(Infinity);
  });

  it("ends an open stall when the stream ends early", () => {
    const playback = buffer();
    playback.arrived(1000, 0);
    playback.handleTimeout(1000);
    playback.end(1800);
    expect(playback.stalls).to.deep.equal([{ at: 1000, microseconds: 800 }]);
  });

  it("never stalls when a stream at its own rate comes late by less than what is buffered", () => {
    const playback = new PlaybackBuffer({
      rateBitsPerSecond: 8_000_000,
      thresholdMicroseconds: 2000,
      totalBytes: 100_000,
    });
    for (let segment = 0; segment < 100; segment++) playback.arrived(1000, segment * 1000 + (segment === 40 ? 999 : 0));
    expect(playback.stalls).to.deep.equal([]);
    expect(playback.startedAt).to.equal(1000);
    expect(playback.levelMicroseconds(99_000)).to.equal(2000);
  });
});
