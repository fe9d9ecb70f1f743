import { expect } from "chai";
import { execFileSync, spawnSync } from "node:child_process";
import { removeLeftNamespaces } from "./left-namespaces.ts";

const ip = (...words: string[]) => execFileSync("ip", words, { stdio: "pipe" });

describe("namespaces that a test run left behind", () => {
  const dead = spawnSync("true").pid;
  const left = [`plleft${dead}a`, `plleft${dead}n3k`];
  const others = [`plleft${process.pid}a`, `plleftover${dead}a`, `plleft${dead}-a`];

  before(() => {
    for (const name of [...left, ...others]) ip("netns", "add", name);
  });

  after(() => {
    const there = ip("netns", "list").toString();
    for (const name of [...left, ...others]) if (there.includes(name)) ip("netns", "del", name);
  });

  it("go when its process is gone; those of the living and of others stay", () => {
    expect(removeLeftNamespaces("plleft").sort()).to.deep.equal([...left].sort());
    const there = ip("netns", "list").toString();
    expect(left.filter((name) => there.includes(name))).to.deep.equal([]);
    expect(others.filter((name) => there.includes(name))).to.deep.equal(others);
    expect(removeLeftNamespaces("plleft")).to.deep.equal([]);
  });
});
