import { expect } from "chai";
import type { PlannedApplication } from "../plan/plan.ts";
import type { ProgramResult, ReceivedFile } from "../workload/application/program-result.ts";
import type { WireStream } from "./capture-analysis/wire-analysis.ts";
import { judgeExpectation } from "./judge-expectation.ts";
import { measureApplication } from "./measure-application.ts";
import type { ApplicationEvidence } from "./measure-application.ts";

const second = 1e6;

const workload = {
  name: "video",
  kind: "application",
  startMicroseconds: second,
  run: { receives: { got: "file" } },
  playback: { video: "video", bufferMicroseconds: 2 * second },
} as unknown as PlannedApplication;

const file: ReceivedFile = { name: "got", source: "file", sourceBytes: 9, sourceSha256: "aa", bytes: 9, sha256: "aa" };

/** Bytes in each tenth of a second. */
function stream(progress: readonly number[], rest: Partial<WireStream> = {}): WireStream {
  const bytes = progress.reduce((sum, own) => sum + own, 0);
  const last = progress.findLastIndex((own) => own > 0) * 100_000;
  return {
    openedAt: 0,
    bytes,
    bytesBehindHole: 0,
    firstAt: 0,
    lastAt: last,
    longestGapMicroseconds: 0,
    longestGapAt: 0,
    progress,
    ...rest,
  };
}

function evidence(client: Partial<ProgramResult> | undefined, streams: readonly WireStream[]): ApplicationEvidence {
  const result: ProgramResult = {
    kind: "program",
    exitCode: 0,
    startedAt: second,
    endedAt: 9 * second,
    files: [file],
    ...client,
  };
  return {
    workload,
    outcome: { workload: "video", errors: [], ...(client !== undefined && { client: result }) },
    streams,
    binMicroseconds: 100_000,
    endedAtMicroseconds: 10 * second,
  };
}

describe("what is known of an application", () => {
  it("is what all its connections brought together", () => {
    const streams = [stream([100, 0, 0, 0, 100]), stream([0, 0, 300, 0, 0])];
    const { bytes, goodputBitsPerSecond, longestGapMicroseconds } = measureApplication(evidence({}, streams));
    expect(bytes).to.deep.equal({ value: 500, witness: "capture" });
    expect(goodputBitsPerSecond?.value).to.equal((500 * 8) / 0.4);
    expect(longestGapMicroseconds?.value, "one speaks while the other is silent").to.equal(100_000);
  });

  it("has no end where the client failed, and its silence at the end is a gap", () => {
    const failed = measureApplication(evidence({ exitCode: 22 }, [stream([100])]));
    expect(failed.exitCode?.value).to.equal(22);
    expect(failed.completionMicroseconds?.value).to.equal(Infinity);
    expect(failed.longestGapMicroseconds?.value).to.equal(10 * second);
    expect(measureApplication(evidence({}, [stream([100])])).completionMicroseconds?.value).to.equal(8 * second);
  });

  it("is intact where each file is the server's", () => {
    const damageOf = (own: Partial<ReceivedFile>): string | undefined =>
      measureApplication(evidence({ files: [{ ...file, ...own }] }, [])).damage;
    expect(measureApplication(evidence({}, [])).intact?.value).to.equal(true);
    expect(damageOf({ bytes: 8 })).to.equal("got has 8 bytes, file 9");
    expect(damageOf({ sha256: "bb" })).to.equal("got is as long as file, and not the same");
    const { bytes: _bytes, sha256: _sha256, ...unwritten } = file;
    expect(measureApplication(evidence({ files: [unwritten] }, [])).damage).to.equal("the client wrote no got");
    expect(measureApplication(evidence(undefined, [])).damage).to.equal("the client did not come to its end");
  });

  it("counts the stalls of the witness who saw more", () => {
    const segments = Array.from({ length: 5 }, () => ({ bytes: 1000, microseconds: second }));
    const arrived = stream([5000]);
    const shown = (at: number, media: number) => ({
      at: at * second,
      mediaMicroseconds: media * second,
      frames: 25 * media,
    });
    const smooth = [shown(1, 1), shown(2, 2), shown(3, 3), shown(4, 4), shown(5, 5)];
    const frozen = [shown(1, 1), shown(2, 2), shown(7, 3), shown(7.1, 5)];
    const measured = (progress: typeof smooth, streams: WireStream[]) =>
      measureApplication(evidence({ played: { segments, progress } }, streams));
    expect(measured(smooth, [arrived])).to.deep.include({
      stalls: { value: 0, witness: "capture" },
      frames: { value: 125, witness: "application" },
    });
    expect(measured(frozen, [arrived])).to.deep.include({
      stalls: { value: 1, witness: "application" },
      longestStallMicroseconds: { value: 3.1 * second, witness: "application" },
      latenessMicroseconds: { value: 4 * second, witness: "application" },
    });
    const late = stream([2000, ...Array.from({ length: 79 }, () => 0), 3000]);
    expect(measured(smooth, [late]).stalls, "the player says that nothing was amiss").to.deep.equal({
      value: 1,
      witness: "capture",
    });
  });

  it("is judged by what was expected; a client that a signal ended has no code", () => {
    const expectation = { exitCode: 0, bytes: { atLeast: 600 }, frames: { atLeast: 750 } };
    const { exitCode: _exitCode, ...killed } = { ...evidence({}, []).outcome!.client } as ProgramResult;
    const judged = judgeExpectation(
      expectation,
      measureApplication({
        ...evidence({}, [stream([500])]),
        outcome: { workload: "video", errors: [], client: { ...killed, signal: "SIGKILL" } },
      }),
    );
    expect(judged.map(({ metric, measured, passed }) => [metric, measured, passed])).to.deep.equal([
      ["exitCode", "never", false],
      ["bytes", "500 B", false],
      ["frames", "0 frames", false],
    ]);
  });
});
