import { connecting } from "./connecting.compliance.ts";
import { Bench, nodeImplementation, ourImplementation, type Suite } from "./implementation.ts";
import { order } from "./order.compliance.ts";
import { servers } from "./servers.compliance.ts";
import { streams } from "./streams.compliance.ts";
import { timing } from "./timing.compliance.ts";

const suites: Readonly<Record<string, Suite>> = {
  "a socket that connects": connecting,
  "connected sockets": streams,
  "of a socket": timing,
  "the order of things": order,
  servers,
};

for (const implementation of [nodeImplementation, ourImplementation]) {
  describe(`the shape of node:net: ${implementation.name}`, () => {
    let bench: Bench;
    beforeEach(() => {
      bench = new Bench(implementation.open());
    });
    afterEach(() => bench.close());

    for (const [name, suite] of Object.entries(suites)) describe(name, () => suite(() => bench));
  });
}
