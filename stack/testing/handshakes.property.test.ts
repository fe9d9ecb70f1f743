import { expect } from "chai";
import { makePair, serverPort, StreamApplication } from "./pair.ts";
import type { PipeOptions } from "./network.ts";

const second = 1_000_000;
const seeds = 60;
const hostile: PipeOptions = {
  rate: 10_000_000,
  delay: 15_000,
  queueBytes: 100_000,
  loss: 0.15,
  duplicate: 0.1,
  reorder: 0.2,
  reorderDelay: 30_000,
};

/** Three short connections after each other over a path that loses, repeats and reorders, each with its own sizes both ways; what went wrong. */
function exchanges(seed: number, mptcp: boolean, cookies: boolean): string[] {
  const pair = makePair({
    seed,
    paths: [{ ...hostile }],
    client: { mptcp },
    server: { autotune: seed % 2 === 0, ...(cookies && { tcp: { synCookies: "always" as const } }) },
  });
  const { network, client, server } = pair;
  const accepted: StreamApplication[] = [];
  let toAnswer = 0;
  const listener = server.listen({ port: serverPort, fastOpen: !cookies }, network.now);
  listener.onConnection = () => {
    for (let next = listener.accept(); next !== undefined; next = listener.accept())
      accepted.push(new StreamApplication(network, next, toAnswer, true));
  };
  const problems: string[] = [];
  for (const [sent, answered] of [
    [100, 3_000 * (seed % 5)],
    [1_000 * (seed % 7), 1_000],
    [40_000, 1 + (seed % 3) * 20_000],
  ] as const) {
    toAnswer = answered;
    const before = accepted.length;
    const target = { remoteAddress: "10.0.100.2", remotePort: serverPort, fastOpen: !cookies };
    const application = new StreamApplication(network, client.connect(target, network.now), sent, true);
    application.send();
    const ended = network.run(400 * second, () => application.closed);
    const peer = accepted[before];
    const label = `seed ${seed}, ${sent} there, ${answered} back`;
    if (!ended) problems.push(`${label}: hangs`);
    else if (application.corrupt || peer?.corrupt === true) problems.push(`${label}: wrong bytes`);
    else if (application.error === undefined && application.received !== answered)
      problems.push(`${label}: the client has ${application.received}`);
    else if (application.error === undefined && peer?.received !== sent)
      problems.push(`${label}: the server has ${peer?.received}`);
    network.run(130 * second);
  }
  network.run(400 * second);
  if (server.connections.length > 0 || client.connections.length > 0) problems.push(`seed ${seed}: something is left`);
  return problems;
}

for (const mptcp of [false, true]) {
  describe(`handshakes over a hostile path, ${mptcp ? "MPTCP" : "plain TCP"}`, function () {
    this.timeout(120_000);
    for (const cookies of [false, true]) {
      it(`with ${cookies ? "SYN cookies" : "fast open"}: the streams arrive, or the application is told; nothing is left`, () => {
        const problems = Array.from({ length: seeds }, (_, i) => exchanges(i + 1, mptcp, cookies)).flat();
        expect(problems).to.deep.equal([]);
      });
    }
  });
}
