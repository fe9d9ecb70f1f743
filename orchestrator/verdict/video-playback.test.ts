import { expect } from "chai";
import { mediaClock, viewArrivals, viewPictures } from "./video-playback.ts";

const second = 1e6;
const segments = Array.from({ length: 10 }, () => ({ bytes: 100_000, microseconds: second }));
const video = { segments, bufferMicroseconds: 2 * second };
const bin = 100_000;

/** A segment's bytes, and 500 of HTTP, at each of these times. */
function arrivingAt(seconds: readonly number[], bytes = 100_500): { progress: number[] } {
  const progress = Array.from({ length: 1 + Math.max(...seconds) * 10 }, () => 0);
  for (const time of seconds) progress[Math.round(time * 10)]! += bytes;
  return { progress };
}

describe("a viewer of a video", () => {
  it("sees it to its end where each segment is there in time", () => {
    const arrivals = arrivingAt([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const { startedAt, stalls } = viewArrivals(video, [arrivals], bin, 20 * second);
    expect(startedAt).to.equal(second);
    expect(stalls).to.deep.equal([]);
  });

  it("waits where one comes later than the buffer lasts, until the buffer is full again", () => {
    const late = arrivingAt([0, 1, 2, 6, 7, 8, 9, 10, 11, 12]);
    const level = (at: number) =>
      viewArrivals(video, [late], bin, 30 * second).levels.find((look) => look.at === at)?.microseconds;
    expect([3 * second, 3.5 * second, 4 * second, 5 * second].map(level)).to.deep.equal([second, second / 2, 0, 0]);
    // Three seconds of media are shown from second 1 on; at 7 there are two again.
    expect(viewArrivals(video, [late], bin, 30 * second).stalls).to.deep.equal([
      { at: 4 * second, microseconds: 3 * second },
    ]);
  });

  it("does not care over which connection a segment came", () => {
    const [even, odd] = [arrivingAt([0, 2, 4, 6, 8]), arrivingAt([1, 3, 5, 7, 9])];
    expect(viewArrivals(video, [even, odd], bin, 20 * second).stalls).to.deep.equal([]);
  });

  it("begins no earlier than the viewer of the pictures", () => {
    const arrivals = arrivingAt([0, 1, 2, 6, 7, 8, 9, 10, 11, 12]);
    const { startedAt, stalls } = viewArrivals(video, [arrivals], bin, 30 * second, 3.5 * second);
    expect(startedAt).to.equal(3.5 * second);
    expect(stalls, "what came at 6 was not due before 6.5").to.deep.equal([]);
  });

  it("waits to the end of the run for what never comes", () => {
    // How much of it is the protocol's nobody knows before the end.
    expect(viewArrivals(video, [arrivingAt([0, 1, 2], 100_000)], bin, 30 * second).stalls).to.deep.equal([
      { at: 4 * second, microseconds: 26 * second },
    ]);
    expect(viewArrivals(video, [], bin, 30 * second).stalls).to.deep.equal([{ at: 0, microseconds: 30 * second }]);
  });

  it("sees pictures when the player shows them, and no stall at their end", () => {
    const shown = (at: number, media: number) => ({ at: at * second, mediaMicroseconds: media * second, frames: 1 });
    const progress = [shown(0, 0), shown(1, 1), shown(2, 2), shown(3.9, 3), shown(4.5, 4), shown(5, 5)];
    // The last picture is a part of a second short of the list of segments.
    expect(viewPictures(video, progress, 5.1 * second, 20 * second)).to.deep.include({
      startedAt: 2 * second,
      stalls: [],
    });
    const frozen = [...progress.slice(0, 3), shown(9, 3), shown(9.1, 5)];
    expect(viewPictures(video, frozen, 9.2 * second, 20 * second).stalls).to.deep.equal([
      { at: 4 * second, microseconds: 5.1 * second },
    ]);
  });
});

describe("media in the bytes of an HLS transfer", () => {
  it("is whole when all is there, and in between as far as segments are", () => {
    const media = mediaClock(segments, 10 * 100_500);
    expect(media(10 * 100_500)).to.equal(10 * second);
    expect(media(500)).to.equal(0);
    expect(media(100_500)).to.equal(second);
    expect(media(100_500 + 500 + 25_000)).to.equal(1.25 * second);
  });
});
