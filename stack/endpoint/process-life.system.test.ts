import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { scenarios } from "./process-life.fixture.ts";

const namespacePrefix = "pllife";
const [client, server] = [`${namespacePrefix}${process.pid}a`, `${namespacePrefix}${process.pid}b`];
const program = fileURLToPath(new URL("process-life.fixture.ts", import.meta.url));
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });

/** Tells of each connection its client's port, how many bytes it brought, and how it ended; answers the first of them with a byte. */
const sink = `
  require("node:net").createServer((socket) => {
    const { remotePort } = socket;
    let bytes = 0;
    const tell = (how) => console.log(remotePort, bytes, how);
    socket.once("data", () => socket.write("."));
    socket.on("data", (chunk) => (bytes += chunk.length)).on("end", () => tell("end")).on("error", ({ code }) => tell(code));
  }).listen(7000, () => console.log("listening"));`;

/** Datagrams to the client without end. */
const flood = `
  const socket = require("node:dgram").createSocket("udp4");
  const send = () => socket.send("datagram", 9, "10.6.0.1", send);
  for (let i = 0; i < 20; i++) send();`;

const goesOn = "goes on";
/** As node:net has it, for which every scenario is run, too. */
const expected: Readonly<Record<string, string>> = {
  "nothing at all": "ended",
  "a server that listens": goesOn,
  "a server that is unref'd": "ended",
  "a server that was unref'd before it listened": "ended",
  "a server that is ref'd again": goesOn,
  "a server that is closed": "ended",
  "a connection": goesOn,
  "a connection that is unref'd": "ended",
  "a connection that is unref'd and has a timeout": "ended",
  "a connection that is ref'd again": goesOn,
  "a socket that was unref'd before it connected": "connected ended",
  "a socket that nobody answers": "ECONNREFUSED ended",
  "a socket that is destroyed": "ended",
};
const large = "much that was written before the socket was unref'd";
const exits = "a process that exits";

describe("what keeps a process alive (ref, unref)", function () {
  this.timeout(300_000);
  let sinkProcess: ChildProcess;
  let told: AsyncIterator<string>;

  before(async () => {
    removeLeftNamespaces(namespacePrefix);
    for (const name of [client, server]) ip("netns add", name);
    ip("link add t0 netns", client, "address 02:00:00:00:00:01 type veth peer name t0 netns", server);
    for (const name of [client, server]) ip("-n", name, "link set t0 up");
    ip("-n", server, "link set lo up");
    ip("-n", server, "address add 10.6.0.2/24 dev t0");
    sinkProcess = spawn("ip", ["netns", "exec", server, process.execPath, "-e", sink], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    told = createInterface({ input: sinkProcess.stdout! })[Symbol.asyncIterator]();
    expect((await told.next()).value).to.equal("listening");
  });

  after(async () => {
    if (sinkProcess.kill()) await once(sinkProcess, "exit");
    for (const name of [client, server]) ip("netns del", name);
  });

  /** What the program says before it ends well, over node:net in the server's namespace or over our stack beside the client's. */
  async function outcome(scenario: string, over: "node:net" | "ours", ending: string): Promise<string> {
    // What goes on does so at any time; what ends may take its time on a busy machine.
    const patience = ending === goesOn ? "300" : "40000";
    const [command, ...words]: [string, ...string[]] =
      over === "ours"
        ? [process.execPath, program, scenario, patience, `/run/netns/${client}`, "10.6.0.2", "7000"]
        : ["ip", "netns", "exec", server, process.execPath, program, scenario, patience, "node", "10.6.0.2", "7000"];
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect([child.exitCode, child.signalCode]).to.deep.equal([0, null]);
    return lines.join(" ");
  }

  it("every scenario has its test", () => {
    expect([...Object.keys(expected), large, exits]).to.have.members(Object.keys(scenarios));
  });

  for (const over of ["node:net", "ours"] as const)
    describe(over, () => {
      for (const [scenario, ending] of Object.entries(expected))
        it(`${scenario}: ${ending}`, async () => {
          expect(await outcome(scenario, over, ending)).to.equal(ending);
        });

      it(`${large}: all of it arrives, then the process ends`, async () => {
        expect(await outcome(large, over, "ended")).to.match(/ended$/);
        let line: string;
        do line = (await told.next()).value;
        while (!line.includes(" 40000000 "));
        expect(line).to.match(/ end$/);
      });

      it(`${exits} while it has a connection: the peer is told`, async () => {
        const port = await outcome(exits, over, "");
        let line: string;
        do line = (await told.next()).value;
        while (!line.startsWith(`${port} `));
        // The kernel ends the stream, and answers what comes of the peer's; of ours nobody is left to answer.
        expect(line).to.equal(`${port} 1 ${over === "ours" ? "ECONNRESET" : "end"}`);
      });

      it("ends well while frames come", async () => {
        const sender = spawn("ip", ["netns", "exec", server, process.execPath, "-e", flood], { stdio: "inherit" });
        try {
          for (let run = 0; run < 5; run++)
            expect(await outcome("a connection that is unref'd", over, "ended")).to.equal("ended");
        } finally {
          if (sender.kill()) await once(sender, "exit");
        }
      });
    });
});
