import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { payloadSha256 } from "../../../stack/endpoint/workload/payload.ts";
import type { PlannedApplication } from "../../plan/plan.ts";
import { segmentsOf } from "./hls-video.ts";
import { placeFiles, readLog, receivedFiles } from "./served-files.ts";

describe("files of an application", () => {
  let root: string;
  let workload: PlannedApplication;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "pathlab-files-"));
    for (const side of ["server", "client"]) mkdirSync(join(root, side));
    workload = {
      payloadSeed: 7,
      serve: {
        directory: join(root, "server"),
        files: {
          "conf/server.conf": { kind: "text", text: "listen 5001;\n" },
          "data.bin": { kind: "random", sizeBytes: 3_000_001 },
        },
      },
      run: { directory: join(root, "client"), receives: { got: "data.bin" } },
    } as unknown as PlannedApplication;
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const place = (): Promise<void> => placeFiles(workload, join(root, "videos"), new AbortController().signal);

  it("lie in the server's directory, random ones by the seed", async () => {
    await place();
    expect(readFileSync(join(root, "server/conf/server.conf"), "utf8")).to.equal("listen 5001;\n");
    const random = readFileSync(join(root, "server/data.bin"));
    expect(random.length).to.equal(3_000_001);
    expect(createHash("sha256").update(random).digest("hex")).to.equal(payloadSha256(7, random.length));
  });

  it("are compared with what the client has", async () => {
    await place();
    const [missing] = await receivedFiles(workload);
    expect(missing).to.include({ name: "got", source: "data.bin", sourceBytes: 3_000_001 });
    expect(missing).to.not.have.property("sha256");
    writeFileSync(join(root, "client/got"), readFileSync(join(root, "server/data.bin")));
    const [whole] = await receivedFiles(workload);
    expect(whole!.sha256).to.equal(whole!.sourceSha256);
    writeFileSync(join(root, "client/got"), "something else");
    const [other] = await receivedFiles(workload);
    expect(other!.bytes).to.equal(14);
    expect(other!.sha256).to.not.equal(other!.sourceSha256);
  });

  it("are kept as logs by their end", async () => {
    expect(await readLog(join(root, "access.log"))).to.equal(undefined);
    writeFileSync(join(root, "access.log"), `${"first line\n".repeat(200_000)}last line\n`);
    const kept = await readLog(join(root, "access.log"));
    expect(kept).to.have.length(1 << 20);
    expect(kept!.endsWith("last line\n")).to.equal(true);
  });

  it("tell the segments of a video in the order of its playlist", async () => {
    const names = ["segment0001.ts", "segment0000.ts"];
    names.forEach((name, index) => writeFileSync(join(root, name), "x".repeat(index + 1)));
    const lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXTINF:1.000000,", names[0], "#EXTINF:0.480000,", names[1]];
    writeFileSync(join(root, "index.m3u8"), `${[...lines, "#EXT-X-ENDLIST"].join("\n")}\n`);
    expect(await segmentsOf(root)).to.deep.equal([
      { bytes: 1, microseconds: 1_000_000 },
      { bytes: 2, microseconds: 480_000 },
    ]);
  });
});
