/** The code and the table of docs/net.md. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { selfSigned } from "./self-signed.fixture.ts";
import { virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";
import type { Net } from "./net.ts";

const repository = join(import.meta.dirname, "../..");
const page = readFileSync(join(repository, "docs/net.md"), "utf8");

type Example = (client: Net, server: Net, address: string, ...more: string[]) => Promise<unknown>;

describe("docs/net.md", () => {
  const examples: Record<string, Example> = {};
  let hosts: VirtualHosts;

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "pathlab-net-examples-"));
    for (const [i, [, code]] of [...page.matchAll(/^```ts\n(.*?)^```$/gms)].entries()) {
      const file = join(folder, `example-${i}.ts`);
      writeFileSync(file, code!.replaceAll('"../stack/', `"${pathToFileURL(repository).href}/stack/`));
      Object.assign(examples, await import(pathToFileURL(file).href));
    }
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    hosts = virtualHosts({});
  });
  afterEach(() => hosts.close());

  const run = (name: string, ...more: string[]): Promise<unknown> =>
    examples[name]!(hosts.client, hosts.server, hosts.serverAddress, ...more);

  it("has an echo", async () => {
    expect(await run("echo")).to.equal("hello over MPTCP, token number");
  });

  it("has HTTP over one connection", async () => {
    const texts = (await run("requests")) as string[];
    const ports = texts.map((text) => /over (\d+)$/.exec(text)?.[1]);
    expect(texts.map((text) => text.split(" ")[0])).to.deep.equal(["/first", "/second"]);
    expect(ports[0]).to.equal(ports[1]);
  });

  it("has TLS", async () => {
    const { key, cert } = selfSigned("server.test");
    expect(await run("secured", key, cert)).to.equal("authorized: nobody else reads this");
  });

  it("has no other code", () => {
    expect(Object.keys(examples)).to.have.members(["echo", "requests", "secured"]);
  });

  it("names tests of the suite that are there", () => {
    const folder = join(import.meta.dirname, "compliance");
    const titles = readdirSync(folder)
      .flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(/^ {2}it\("([^"]+)"/gm)])
      .map(([, title]) => title!);
    const table = page.split("## Node's own tests of net")[1]!.split("What does not apply")[0]!.split("|---|---|")[1]!;
    const rows = [...table.matchAll(/^\| [a-z0-9-]+.* \| (.+) \|$/gm)].map(([, where]) => where!);
    const elsewhere = rows.filter((where) => !titles.some((title) => title.startsWith(where)));
    expect(rows).to.have.length.above(50);
    expect(elsewhere).to.deep.equal(["the functions are Node's own"]);
  });
});
