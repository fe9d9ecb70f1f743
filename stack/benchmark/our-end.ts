/** One end of a measured connection on our stack: a process of its own, on packet sockets of the namespace in which it runs. */

import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { Host } from "../host.ts";
import type { CongestionControlName } from "../host-options.ts";
import { Driver } from "../io/driver.ts";
import { type Application, say, type Tally } from "./application.ts";
import type { EndTask } from "./end-protocol.ts";
import { HostApplication } from "./host-application.ts";
import { type LabInterface, mtu, prefixLength } from "./lab.ts";
import { NetApplication } from "./net-application.ts";
import { SoakApplication } from "./soak/soak-application.ts";

export type OurEndOptions = {
  interfaces: readonly LabInterface[];
  /** Segments leave our stack as they are on the wire. Else super-packets do, which are cut by the device or, where it cannot, by the kernel before it, as its own TCP's are. */
  ownSegments: boolean;
  congestionControl: string;
  mptcp: boolean;
  application: keyof typeof applications;
  task: EndTask;
  serverAddress: string;
  port: number;
};

/** What stands between the task and the stack: sockets of stack/net, or nothing. `soak` is sockets with a stream that is hashed. */
const applications = { net: NetApplication, host: HostApplication, soak: SoakApplication };

function newDriver({ interfaces, ownSegments, congestionControl, mptcp, application }: OurEndOptions): Driver {
  const pool = new Uint32Array(1024);
  let next = pool.length;
  const random = (): number => {
    if (next === pool.length) {
      randomBytes(pool.byteLength).copy(Buffer.from(pool.buffer));
      next = 0;
    }
    return pool[next++]!;
  };
  const host = new Host({
    name: "end",
    random,
    interfaces: interfaces.map(({ name, mac, address }) => ({
      name,
      mac,
      mtu,
      gso: !ownSegments,
      checksumOffload: true,
      addresses: [{ address, prefixLength }],
    })),
    mptcp,
    congestionControl: congestionControl as CongestionControlName,
    scheduler: "min-rtt",
    pathManager: "full-mesh",
  });
  return new Driver({
    host,
    interfaces: interfaces.map(({ name }) => ({ interfaceName: name })),
    prefault: application === "soak",
  });
}

function main(options: OurEndOptions): void {
  const driver = newDriver(options);
  const tally: Tally = { bytes: 0 };
  const application: Application = new applications[options.application](
    driver,
    options.serverAddress,
    options.port,
    tally,
  );
  createInterface({ input: process.stdin })
    .on("line", () => {
      // With --expose-gc: what is counted then is what is held, not what has been.
      globalThis.gc?.();
      say({ bytes: tally.bytes, microseconds: driver.now() });
    })
    .on("close", () => process.exit());
  if (options.task.mode === "serve") application.serve(options.task.service);
  say({ ready: true });
  if (options.task.mode !== "serve") application.run(options.task);
}

if (process.argv[1] === import.meta.filename) main(JSON.parse(process.argv[2]!) as OurEndOptions);
