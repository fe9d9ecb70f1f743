import { expect } from "chai";
import { pathInterfaces } from "./path-interfaces.ts";
import { UsageError } from "./failure.ts";
import { parseInterface } from "./values.ts";

const on = (text: string) => pathInterfaces([parseInterface(text)], true);

describe("interfaces that the command line names", () => {
  it("have packets that IP can tell the length of, on the loopback device, too", () => {
    const [loopback] = on("lo=10.77.1.11/24");
    expect(loopback).to.deep.include({ name: "lo", mac: "00:00:00:00:00:00", gso: true });
    expect(loopback!.mtu).to.be.within(1280, 65_535);
  });

  it("do not share addresses with the kernel", () => {
    expect(() => on("lo=127.0.0.1/8")).to.throw(UsageError, "the kernel has 127.0.0.1 on lo");
  });

  it("are there, or may come later", () => {
    expect(() => on("nowhere0=10.77.1.11/24"))
      .to.throw()
      .with.property("code", "ENODEV");
    expect(on("nowhere0=10.77.1.11/24,optional")[0]).to.include({ name: "nowhere0", mtu: 1500 });
  });
});
