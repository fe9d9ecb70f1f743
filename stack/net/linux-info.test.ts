import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { thirdGeneration, wifi } from "../testing/pair.ts";
import type { SocketInfo } from "./linux-info.ts";
import type { MptcpSocket } from "./net.ts";
import { virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";

describe("info() under the names of Linux", () => {
  let hosts: VirtualHosts;
  afterEach(() => hosts.close());

  async function transferred(mptcp = true): Promise<{ client: MptcpSocket; accepted: MptcpSocket }> {
    hosts = virtualHosts({ paths: [wifi, thirdGeneration], serverInterfaces: 2, server: { mptcp } });
    const server = hosts.server.createServer({ allowHalfOpen: true }).listen(80);
    const client = hosts.client.connect({ port: 80, host: hosts.serverAddress, allowHalfOpen: true });
    const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
      [MptcpSocket],
      unknown,
    ];
    client.end(Buffer.alloc(1_000_000));
    await once(accepted.resume(), "end");
    while (client.info().bytesAcked < 1_000_000) await turn();
    return { client, accepted };
  }

  const fieldsOf = (info: SocketInfo): string[] => [
    ...Object.keys(info),
    ...info.subflows.flatMap((subflow) => Object.keys(subflow)),
  ];

  it("counts what subflows sent beyond the data once as sent again at the data level", async () => {
    const { client } = await transferred();
    const { mptcpi_bytes_retrans: again, subflows } = client.info();
    let sentOnce = 0;
    for (const { tcpi_bytes_sent: sent, tcpi_bytes_retrans: repeated } of subflows) sentOnce += sent - repeated;
    expect(again).to.be.greaterThan(0);
    expect(sentOnce).to.equal(1_000_000 + again!);
  });

  it("counts subflows, addresses and bytes of a connection as MPTCP_INFO does", async () => {
    const { client, accepted } = await transferred();
    const [ours, theirs] = [client.info(), accepted.info()];
    // Two interfaces to two addresses, the first subflow not counted.
    expect([ours.mptcpi_subflows, ours.mptcpi_subflows_total, ours.mptcpi_local_addr_used]).to.deep.equal([3, 4, 1]);
    expect([ours.mptcpi_local_addr_max, ours.mptcpi_retransmits]).to.deep.equal([1, 0]);
    expect([ours.mptcpi_add_addr_signal, ours.mptcpi_add_addr_accepted]).to.deep.equal([0, 1]);
    expect([theirs.mptcpi_add_addr_signal, theirs.mptcpi_add_addr_accepted]).to.deep.equal([1, 0]);
    expect([ours.mptcpi_flags, ours.mptcpi_csum_enabled]).to.deep.equal([2, 0]);
    expect(ours.mptcpi_bytes_acked).to.equal(1_000_000);
    expect(theirs.mptcpi_bytes_received).to.equal(1_000_000);
    // Our stream stands where they wait for more: behind a million bytes and DATA_FIN.
    expect(theirs.mptcpi_rcv_nxt! - ours.mptcpi_write_seq!).to.equal(1n);
    expect(theirs.mptcpi_write_seq).to.equal(ours.mptcpi_rcv_nxt);
    expect(ours.mptcpi_token)
      .to.be.within(0, 2 ** 32 - 1)
      .and.not.to.equal(theirs.mptcpi_token);
  });

  it("tells of each subflow in the units of TCP_INFO: microseconds, segments, bytes", async () => {
    const { client } = await transferred();
    const [first] = client.info().subflows;
    expect(first).to.include({
      tcpi_state: 1,
      tcpi_ca_state: first!.tcpi_ca_state,
      tcpi_options: 1 | 2 | 4,
      tcpi_pmtu: 1_500,
      tcpi_advmss: 1_460,
      tcpi_unacked: 0,
      tcpi_retransmits: 0,
      tcpi_bytes_acked: first!.bytesAcked,
      tcpi_total_retrans: first!.retransmissions,
    });
    // 20 ms of path, and at most the queue of 80,000 bytes at 8 Mbit/s with it.
    expect(first!.tcpi_min_rtt).to.be.within(20_000, 25_000);
    expect(first!.tcpi_rtt).to.be.within(20_000, 110_000);
    expect(first!.tcpi_rto).to.be.within(200_000, 1_000_000);
    expect(first!.tcpi_snd_cwnd).to.be.within(2, 200);
    expect(first!.tcpi_snd_cwnd).to.equal(Math.floor(first!.congestionWindow / first!.tcpi_snd_mss));
    expect(first!.tcpi_snd_wnd).to.be.greaterThan(100_000);
  });

  it("counts segments and bytes of each subflow, and tells how long ago the last came and went", async () => {
    const { client, accepted } = await transferred();
    const [ours, theirs] = [client.info(), accepted.info()];
    const sum = (
      info: SocketInfo,
      field: "tcpi_data_segs_out" | "tcpi_data_segs_in" | "tcpi_bytes_sent" | "tcpi_bytes_retrans",
    ): number => info.subflows.reduce((total, subflow) => total + subflow[field], 0);
    // What was sent twice, as segments again or on another subflow, counts twice.
    expect(sum(ours, "tcpi_bytes_sent") - sum(ours, "tcpi_bytes_retrans")).to.be.within(1_000_000, 1_300_000);
    expect(sum(ours, "tcpi_data_segs_out")).to.be.within(1_000_000 / 1_428, 2 * (1_000_000 / 1_428));
    expect(sum(theirs, "tcpi_data_segs_in")).to.be.at.most(sum(ours, "tcpi_data_segs_out"));
    expect(sum(theirs, "tcpi_data_segs_in")).to.be.at.least(1_000_000 / 1_428);
    expect(sum(theirs, "tcpi_data_segs_out")).to.equal(0);
    for (const subflow of ours.subflows) {
      expect(subflow.tcpi_segs_out).to.be.greaterThan(subflow.tcpi_data_segs_out);
      expect(subflow.tcpi_segs_in).to.be.greaterThan(0);
      expect(subflow.tcpi_delivered).to.be.at.least(Math.floor(subflow.bytesAcked / subflow.tcpi_snd_mss));
      expect(subflow.tcpi_delivered).to.be.at.most(subflow.tcpi_data_segs_out + 1);
      expect(subflow.tcpi_last_data_recv).to.equal(undefined);
      expect(subflow.tcpi_rcv_wnd).to.be.greaterThan(100_000);
    }
    const before = hosts.pair.network.now;
    while (hosts.pair.network.now < before + 500_000) await turn();
    const later = client.info();
    expect(later.mptcpi_last_data_sent! - ours.mptcpi_last_data_sent!).to.be.within(495, 520);
    expect(later.mptcpi_last_ack_recv).to.be.at.most(later.mptcpi_last_data_sent!);
    expect(later.mptcpi_last_data_sent).to.equal(Math.min(...later.subflows.map((each) => each.tcpi_last_data_sent!)));
  });

  it("counts timeouts of the data level in a row, and forgets them with the next DATA_ACK", async () => {
    const { client, accepted } = await transferred();
    const pipes = hosts.pair.links.flatMap(({ up, down }) => [up, down]);
    for (const pipe of pipes) pipe.middlebox = () => [];
    accepted.end("an answer");
    while (accepted.info().mptcpi_retransmits! < 2) await turn();
    for (const pipe of pipes) pipe.middlebox = (frame) => [frame];
    await once(client.resume(), "end");
    while (accepted.info().mptcpi_retransmits! > 0) await turn();
    expect(accepted.info().mptcpi_bytes_acked).to.equal("an answer".length);
  });

  it("has the flag of a fallback, and nothing of MPTCP for a connection that never spoke it", async () => {
    const fallen = await transferred(false);
    expect(fallen.client.info().mptcpi_flags! & 1).to.equal(1);
    expect(fieldsOf(fallen.accepted.info()).filter((field) => field.startsWith("mptcpi_"))).to.deep.equal([]);
    expect(fallen.accepted.info().subflows.map(({ tcpi_state: state }) => state)).to.deep.equal([8]);
  });

  it("has no name of Linux that docs/net.md does not tell", async () => {
    const { client, accepted } = await transferred();
    const page = readFileSync(join(import.meta.dirname, "../../docs/net.md"), "utf8");
    const fields = new Set([...fieldsOf(client.info()), ...fieldsOf(accepted.info())]);
    const linux = [...fields].filter((field) => /^(?:mptcpi|tcpi)_/.test(field));
    expect(linux).to.have.length.above(30);
    expect(linux.filter((field) => !page.includes(`\`${field}\``))).to.deep.equal([]);
  });
});
