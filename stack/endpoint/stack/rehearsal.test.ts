import { expect } from "chai";
import { rehearse } from "./rehearsal.ts";

describe("the connection in memory before the first one on the wire", () => {
  for (const gso of [false, true])
    it(`joins a second path, loses frames, and goes on there when the first is down${gso ? ", with super-packets" : ""}`, async () => {
      const { echoedBytes, subflows, lostFrames } = await rehearse({ gso });
      expect([echoedBytes, subflows]).to.deep.equal([128 * 1024, 2]);
      expect(lostFrames).to.be.above(0);
    });
});
