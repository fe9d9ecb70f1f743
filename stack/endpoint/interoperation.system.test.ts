import { expect } from "chai";
import { address, bundleEndpoint, removeBundle, TwoNamespaces, type EndpointFlavour } from "./endpoint-pair.fixture.ts";
import type { BulkDescription, EndpointRecord } from "./protocol.ts";
import { payloadSha256 } from "./workload/payload.ts";

type ResultRecord = Extract<EndpointRecord, { type: "result" }>;

const ended =
  (workload: string) =>
  (record: EndpointRecord): boolean =>
    (record.type === "result" || record.type === "error") && record.workload === workload;

/** Client, server, and whether what they have in common is MPTCP. */
const pairings: readonly (readonly [client: EndpointFlavour, server: EndpointFlavour, mptcp: boolean])[] = [
  ["stack", "stack", true],
  ["stack", "kernel-mptcp", true],
  ["kernel-mptcp", "stack", true],
  ["stack", "kernel", false],
  ["kernel", "stack", false],
  ["kernel-mptcp", "kernel-mptcp", true],
  ["kernel-mptcp", "kernel", false],
  ["kernel", "kernel-mptcp", false],
];

describe("pairings of endpoints", function () {
  this.timeout(300_000);
  before(bundleEndpoint);
  after(removeBundle);

  for (const [client, server, mptcp] of pairings) {
    for (const sender of ["client", "server"] as const) {
      it(`${client} with ${server}, the ${sender} sending: ${mptcp ? "two subflows" : "one TCP connection"}`, async () => {
        const namespaces = new TwoNamespaces({ a: client, b: server });
        namespaces.up();
        try {
          const [a, b] = await Promise.all([namespaces.endpoint("a"), namespaces.endpoint("b")]);
          const metrics = () => (sender === "client" ? a : b).ofType("metrics");
          // On a busy machine a transfer may be over before the kernel's worker has come to the join, or anybody to a sample: then the next takes longer.
          let durationMicroseconds = 350_000;
          const joins = mptcp ? 1 : 0;
          for (let i = 1; i === 1 || namespaces.acceptedJoins("b", b) < joins || metrics().length === 0; i++) {
            durationMicroseconds *= 2;
            const name = `bulk ${i}`;
            const place = { serverAddress: address("b", 1), port: 5000 + i, payloadSeed: 3 };
            const workload: BulkDescription = { kind: "bulk", name, ...place, sender, durationMicroseconds };
            b.say({ do: "workload", role: "server", workload, startAt: 0 });
            await b.next((record) => record.type === "listening" && record.workload === name);
            a.say({ do: "workload", role: "client", workload, startAt: 0 });
            const [one, other] = await Promise.all([
              a.next<ResultRecord>(ended(name)),
              b.next<ResultRecord>(ended(name)),
            ]);
            expect([one.type, other.type], JSON.stringify([one, other])).to.deep.equal(["result", "result"]);
            const [sent, received] = (sender === "client" ? [one, other] : [other, one]).map(({ result }) => result);
            if (sent?.kind !== "sender" || received?.kind !== "receiver") throw new Error("wrong kinds of results");
            expect(received.bytes).to.equal(sent.bytes);
            expect(received.sha256).to.equal(payloadSha256(3, sent.bytes));
          }
          expect(metrics().at(-1)!.connection.mptcp).to.equal(mptcp);
          expect(namespaces.acceptedJoins("b", b)).to.equal(joins);
          expect(await Promise.all([a.stop(), b.stop()])).to.deep.equal([0, 0]);
        } finally {
          await namespaces.down();
        }
      });
    }
  }
});
