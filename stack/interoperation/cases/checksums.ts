/** DSS checksums (RFC 8684 §3.3.1): who asks for them, and what a wrong one does (§3.7). */

import type { Case, CaseGroup } from "../case.ts";
import { assert, carries, connected, counters, joined, speaksMptcp } from "../expectations.ts";
import type { Role } from "../fabric.ts";
import type { Lab, LabOptions } from "../lab.ts";
import { mptcpPresent } from "../../wire/mptcp-options.ts";
import { corrupt } from "../surgery.ts";

type LabSettings = Pick<LabOptions, "kernel" | "our">;

function settings(clientAsks: boolean, serverAsks: boolean, ours: Role): LabSettings {
  const [we, kernel] = ours === "client" ? [clientAsks, serverAsks] : [serverAsks, clientAsks];
  return { our: { dssChecksum: we }, kernel: { sysctls: { "net.mptcp.checksum_enabled": Number(kernel) } } };
}

const both = (ours: Role): LabSettings => settings(true, true, ours);

function negotiation(clientAsks: boolean, serverAsks: boolean): Case {
  const asked = clientAsks || serverAsks;
  const who = clientAsks
    ? serverAsks
      ? "both ask"
      : "the client asks"
    : serverAsks
      ? "the server asks"
      : "nobody asks";
  return {
    name: `checksums: ${who}`,
    lab: (ours) => ({ clientAddresses: 2, ...settings(clientAsks, serverAsks, ours) }),
    async run(lab) {
      const mappings = (summed: boolean) =>
        lab.fabric.count(({ segment: { mptcp, payloadLength } }) => {
          const mapped = (mptcp.has(mptcpPresent.dss) && mptcp.hasMapping) || mptcp.capableDataLength > 0;
          return payloadLength > 0 && mapped && mptcp.checksum >= 0 === summed;
        });
      const [summed, bare] = [mappings(true), mappings(false)];
      await joined(lab, 1);
      await lab.transfer({ up: 1 << 20, down: 1 << 20 });
      assert(
        (asked ? bare : summed).segments === 0,
        lab,
        `${summed.segments} mappings with, ${bare.segments} without a checksum`,
      );
      assert((asked ? summed : bare).segments > 0, lab, "no mapping was seen");
      await carries(lab);
      await counters(lab, { DataCsumErr: 0, MPFailTx: 0, MPFailRx: 0 });
    },
  };
}

/** Changes one octet of the first segment from `sender` over the client's interface `path` that is longer than what `connected` has sent: a late copy of that would be thrown away unread. */
function corruptOnce(lab: Lab, sender: Role, path: number): { readonly done: boolean } {
  const state = { done: false };
  lab.fabric.rule((passing) => {
    const { from, to, segment } = passing;
    const [client] = from.role === "client" ? [from] : [to];
    if (state.done || from.role !== sender || client.index !== path || segment.payloadLength <= 1_000) return true;
    corrupt(passing, 50);
    state.done = true;
    return true;
  });
  return state;
}

/** One subflow: MP_FAIL with the place, an infinite mapping in answer, and plain TCP from there (RFC 8684 §3.7): all bytes arrive, one of them changed. */
function failOnOnlySubflow(sender: Role, when: string, bytes: number): Case {
  return {
    name: `a changed byte from the ${sender} on the only subflow, ${when}: MP_FAIL, and on as TCP`,
    lab: both,
    async run(lab) {
      await connected(lab);
      const [from, to] = sender === "client" ? [lab.client, lab.server] : [lab.server, lab.client];
      const changed = corruptOnce(lab, sender, 1);
      const infinite = lab.fabric.count(
        ({ from: { role }, segment: { mptcp } }) =>
          role === sender && mptcp.has(mptcpPresent.dss) && mptcp.hasMapping && mptcp.dataLength === 0,
      );
      from.send(bytes);
      await lab.until("MP_FAIL was sent", () => {
        const now = lab.counters();
        return now.MPFailTx! + now.MPFailRx! > 0;
      });
      assert(changed.done, lab, "nothing was changed");
      from.send(100_000);
      if (sender === lab.kernelRole) await counters(lab, { MPFailRx: 1, InfiniteMapTx: 1 });
      else {
        await counters(lab, { DataCsumErr: 1, MPFailTx: 1 });
        await lab.until("the infinite mapping was sent", () => infinite.segments > 0);
      }
      await lab.until("our stack speaks TCP", () => !lab.ours.info.mptcp);
      await lab.until("all bytes arrived", () => to.received.bytes === from.sent);
      to.send(100_000);
      await lab.until("all bytes arrived the other way", () => from.received.bytes === to.sent);
      await lab.finish();
    },
  };
}

const cases: Case[] = [
  negotiation(false, false),
  negotiation(false, true),
  negotiation(true, false),
  negotiation(true, true),
  ...(["client", "server"] as const).flatMap((sender): Case[] => [
    {
      name: `a changed byte from the ${sender} without checksums arrives, as with TCP`,
      async run(lab) {
        await connected(lab);
        const [from, to] = sender === "client" ? [lab.client, lab.server] : [lab.server, lab.client];
        const changed = corruptOnce(lab, sender, 1);
        from.send(200_000);
        await lab.until("all bytes arrived", () => to.received.bytes === from.sent);
        assert(changed.done, lab, "nothing was changed");
        await speaksMptcp(lab);
        await lab.finish();
        await counters(lab, { DataCsumErr: 0, MPFailTx: 0, MPFailRx: 0 });
      },
    },
    {
      name: `a changed byte from the ${sender} on one of two subflows: that subflow is reset with MP_FAIL, the data is whole`,
      lab: (ours) => ({ clientAddresses: 2, ...both(ours) }),
      async run(lab) {
        await joined(lab, 1);
        const from = sender === "client" ? lab.client : lab.server;
        const changed = corruptOnce(lab, sender, 2);
        await lab.until("the second subflow carries bytes", () => {
          if (!changed.done) from.send(200_000);
          return changed.done;
        });
        await lab.delivered();
        await speaksMptcp(lab);
        if (sender === lab.kernelRole) await counters(lab, { MPFailRx: 1 });
        else await counters(lab, { DataCsumErr: 1, MPFailTx: 1 });
        await lab.finish();
      },
    },
    failOnOnlySubflow(sender, "with much to follow", 3 << 20),
    failOnOnlySubflow(sender, "when all has been sent", 10_000),
  ]),
];

export const checksums: CaseGroup = { title: "Checksums", cases };
