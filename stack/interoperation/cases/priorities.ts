/** Backup subflows and MP_PRIO (RFC 8684 §3.3.8). */

import type { Case, CaseGroup, CaseLab } from "../case.ts";
import { assert, carries, counters, joined, payloadOver } from "../expectations.ts";
import { CarriedBytes } from "../carried.ts";
import type { Role } from "../fabric.ts";
import type { Lab } from "../lab.ts";

const much = 300_000;

/** The client's second address is backup. */
const backupOfClient = (ours: Role): CaseLab => ({
  clientAddresses: 2,
  ...(ours === "client"
    ? { our: { backup: [2] } }
    : { kernel: { endpoints: ["10.77.2.1 dev client2 subflow backup"] } }),
});

/** The server's second address, which it signals, is backup. */
const backupOfServer = (ours: Role): CaseLab => ({
  serverAddresses: 2,
  ...(ours === "server"
    ? { our: { backup: [2] } }
    : { kernel: { endpoints: ["10.77.2.2 dev server2 signal backup"] } }),
});

/** How often either side found a path silent. */
function silences(lab: Lab): number {
  return lab.ours.events.filter(({ name }) => name === "scheduler:stale").length + lab.counters().SubflowStale!;
}

function isSilent(lab: Lab): boolean {
  const { SubflowStale, SubflowRecover } = lab.counters();
  return lab.ours.info.subflows.some(({ stale }) => stale) || SubflowStale! > SubflowRecover!;
}

/**
 * A transfer each way puts nothing on the client's path but copies. One during which a side found a path silent shows nothing, since the backup is there for
 * that: a process that waits for its processor is as silent as a broken cable.
 */
async function spares(lab: Lab, carried: CarriedBytes, path: number): Promise<void> {
  for (let transfers = 0; transfers < 50; transfers++) {
    const [before, silent] = [silences(lab), isSilent(lab)];
    carried.mark();
    await lab.transfer({ up: much, down: much });
    if (silent || silences(lab) !== before) continue;
    await lab.until("the other path has carried all", () => carried.onlyOver(path) === 0);
    return;
  }
  throw new Error(`in no transfer were all paths heard\n${lab.describe()}`);
}

const cases: Case[] = [
  {
    name: "the client's second path is backup from the start: it carries nothing",
    lab: backupOfClient,
    async run(lab) {
      const carried = new CarriedBytes(lab.fabric);
      await joined(lab, 1);
      if (lab.oursIsClient) await counters(lab, { MPJoinSynBackupRx: 1 });
      assert(lab.ourSubflow(2).backup && !lab.ourSubflow(1).backup, lab, "our stack does not know the backup path");
      await spares(lab, carried, 2);
      await carries(lab);
    },
  },
  {
    name: "the server's signalled path is backup from the start",
    lab: backupOfServer,
    async run(lab) {
      await joined(lab, 1);
      if (!lab.oursIsClient) await counters(lab, { MPJoinSynAckBackupRx: 1 });
      assert(lab.ourSubflow(1, 2).backup, lab, "our stack does not know the backup path");
      await carries(lab);
    },
  },
  {
    name: "the backup path takes over when the other goes silent",
    lab: backupOfClient,
    async run(lab) {
      await joined(lab, 1);
      const tally = payloadOver(lab, 2);
      lab.fabric.cut({ role: "client", index: 1 });
      await lab.transfer({ up: much, down: much });
      assert(tally.payloadBytes >= 2 * much, lab, `only ${tally.payloadBytes} bytes went over the backup path`);
    },
  },
  {
    name: "MP_PRIO from the kernel: backup, and back",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const carried = new CarriedBytes(lab.fabric);
      await joined(lab, 1);
      await lab.ip("mptcp endpoint change id 1 backup");
      await lab.until("our stack sees it", () => lab.ourSubflow(2).backup);
      await counters(lab, { MPPrioTx: 1 });
      await spares(lab, carried, 2);
      await lab.ip("mptcp endpoint change id 1 nobackup");
      await lab.until("our stack sees it", () => !lab.ourSubflow(2).backup);
      await counters(lab, { MPPrioTx: 2 });
      await carries(lab);
    },
    without: { client: "the kernel's server speaks of addresses that it signalled: the next case" },
  },
  {
    name: "MP_PRIO from the kernel's server for its signalled address",
    lab: { serverAddresses: 2 },
    without: { server: "the kernel is the client" },
    async run(lab) {
      await joined(lab, 1);
      await lab.ip("mptcp endpoint change id 1 backup");
      await lab.until("our stack sees it", () => lab.ourSubflow(1, 2).backup);
      await counters(lab, { MPPrioTx: 1 });
      assert(!lab.ourSubflow(1, 1).backup, lab, "the other subflow became backup too");
      await carries(lab);
    },
  },
  {
    name: "MP_PRIO from our stack: backup, and back",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const carried = new CarriedBytes(lab.fabric);
      await joined(lab, 1);
      lab.ours.setBackup(lab.ourSubflow(2), true);
      await counters(lab, { MPPrioRx: 1 });
      await spares(lab, carried, 2);
      lab.ours.setBackup(lab.ourSubflow(2), false);
      await counters(lab, { MPPrioRx: 2 });
      await carries(lab);
    },
  },
  {
    name: "MP_PRIO from our stack for the initial subflow: the other carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const carried = new CarriedBytes(lab.fabric);
      await joined(lab, 1);
      lab.ours.setBackup(lab.ourSubflow(1), true);
      await counters(lab, { MPPrioRx: 1 });
      await spares(lab, carried, 1);
      await carries(lab);
    },
  },
  {
    name: "both paths are backup: they carry all the same",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      lab.ours.setBackup(lab.ourSubflow(1), true);
      lab.ours.setBackup(lab.ourSubflow(2), true);
      await counters(lab, { MPPrioRx: 2 });
      await carries(lab);
    },
  },
];

export const priorities: CaseGroup = { title: "Backup and priority", cases };
