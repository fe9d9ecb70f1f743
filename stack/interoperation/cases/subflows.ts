/** How many subflows come about: addresses of either side, limits, and joins that fail. */

import type { Case, CaseGroup } from "../case.ts";
import { assert, counters, countersOf, joins, speaksMptcp, subflows } from "../expectations.ts";
import { interfaceName, ipAddress } from "../fabric.ts";
import type { Lab } from "../lab.ts";

const much = 300_000;

/** A transfer each way, and the end in order: the connection lives, whatever became of further subflows. */
async function carries(lab: Lab): Promise<void> {
  await lab.transfer({ up: much, down: much });
  await speaksMptcp(lab);
  await lab.finish();
}

function clientAddresses(number: number): Case {
  return {
    name: `${number} addresses of the client, one of the server: ${number - 1} further subflow${number > 2 ? "s" : ""}`,
    lab: { clientAddresses: number },
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up: 1000 });
      await joins(lab, number - 1);
      await carries(lab);
    },
  };
}

function fullMesh(clients: number, servers: number): Case {
  const paths = clients * servers;
  return {
    name: `full mesh ${clients} × ${servers}: ${paths} subflow${paths > 1 ? "s" : ""}`,
    lab: {
      clientAddresses: clients,
      serverAddresses: servers,
      kernel: {},
    },
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up: 1000 });
      await joins(lab, paths - 1);
      await carries(lab);
    },
  };
}

const cases: Case[] = [
  {
    name: "one address each: no join is tried",
    async run(lab) {
      await lab.connect();
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0 });
    },
  },
  clientAddresses(2),
  clientAddresses(3),
  {
    name: "the kernel's limit is no further subflow",
    lab: { clientAddresses: 2, kernel: { subflows: 0 } },
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up: 1000 });
      if (lab.oursIsClient) await counters(lab, { MPJoinSynRx: 1, MPJoinAckRx: 0, MPJoinRejected: 1 });
      await lab.transfer({ up: much, down: much });
      await subflows(lab, 1);
      await lab.finish();
      if (!lab.oursIsClient) await counters(lab, { MPJoinSynTx: 0 });
    },
  },
];

export const subflowCases: CaseGroup = { title: "Further subflows", cases };
