import { expect } from "chai";
import { connectionSample } from "./connection-sample.ts";
import { parseSocketStatistics } from "./socket-statistics.ts";

// Printed by `ss -tMinOH` (iproute2 6.1, kernel 6.18): the client of an MPTCP connection with two subflows, in the middle of a transfer.
const twoSubflows = `tcp   ESTAB 0      4110944       10.77.1.1:40166 10.77.1.2:5001 bbr wscale:10,10 rto:204 rtt:0.042/0.036 mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:198 ssthresh:249 bytes_sent:1669814712 bytes_retrans:5696 bytes_acked:1669545417 segs_out:1196637 segs_in:47101 data_segs_out:1196634 bbr:(bw:26064000000bps,mrtt:0.003,pacing_gain:1.25,cwnd_gain:2) send 54610285714bps lastsnd:4 lastrcv:1476 lastack:4 pacing_rate 32254200000bps delivery_rate 24822857136bps delivered:1196445 busy:1064ms sndbuf_limited:8ms(0.8%) unacked:190 retrans:0/4 dsack_dups:4 reordering:47 reord_seen:7 rcv_space:14480 rcv_ssthresh:64088 notsent:3847344 minrtt:0.003 snd_wnd:29428736 tcp-ulp-mptcp flags:Mmec token:0000(id:0)/2ae8ab40(id:0) seq:6262b4339ecc0817 sfseq:1 ssnoff:afeed8fe maplen:0
tcp   ESTAB 0      1424    10.77.2.1%epwa2:33493 10.77.1.2:5001 bbr wscale:10,10 rto:204 rtt:0.012/0.008 mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:198 ssthresh:718 bytes_sent:521871576 bytes_retrans:25792 bytes_acked:521844361 segs_out:374376 segs_in:13569 data_segs_out:374374 bbr:(bw:28960000000bps,mrtt:0.003,pacing_gain:1.25,cwnd_gain:2) send 191136000000bps lastrcv:1480 pacing_rate 35838000000bps delivery_rate 26064000000bps delivered:374374 busy:460ms sndbuf_limited:12ms(2.6%) unacked:1 retrans:0/22 dsack_dups:22 reordering:47 reord_seen:10 rcv_space:14480 rcv_ssthresh:64088 minrtt:0.003 snd_wnd:23717888 tcp-ulp-mptcp flags:Jjec token:93014b79(id:0)/2ae8ab40(id:1) seq:6262b4339ecc0817 sfseq:0 ssnoff:12f4a897 maplen:0                                  
mptcp ESTAB 0      0             10.77.1.1:40166 10.77.1.2:5001 subflows:1 add_addr_accepted:1 subflows_max:8 add_addr_accepted_max:8 remote_key token:2ae8ab40 write_seq:d3aec7f5dd7ab54f snd_una:d3aec7f5dd40af9f rcv_nxt:6262b4339ecc0817                                                                               
`;

// The receiving side of the same connection.
const receivingSubflow = `tcp   ESTAB 0       0      10.77.1.2:5001 10.77.1.1:40166 bbr wscale:10,10 rto:204 rtt:0.187/0.093 ato:40 mss:1448 pmtu:1500 rcvmss:1424 advmss:1448 cwnd:10 bytes_received:1695371928 segs_out:47509 segs_in:1214784 data_segs_in:1214781 bbr:(bw:0bps,mrtt:0.187) send 619465241bps lastsnd:1492 pacing_rate 1770339056bps delivered:1 app_limited rcv_rtt:1 rcv_space:2228224 rcv_ssthresh:30015488 minrtt:0.187 rcv_ooopack:147 snd_wnd:64512 tcp-ulp-mptcp flags:Mec token:0000(id:0)/93014b79(id:0) seq:d3aec7f5de3fee1f sfseq:650c8b69 ssnoff:adcf1a6b maplen:c730
`;

// An MPTCP client whose server speaks plain TCP.
const fallback = `tcp   ESTAB 0      2162688 10.77.1.1:37522 10.77.1.2:5001 bbr wscale:10,10 rto:204 rtt:0.047/0.028 mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:284 ssthresh:298 bytes_sent:1083064056 bytes_retrans:2441328 bytes_acked:1080229889 segs_out:757450 segs_in:23481 data_segs_out:757448 bbr:(bw:21289513248bps,mrtt:0.003,pacing_gain:1,cwnd_gain:2) send 69996936170bps lastrcv:788 pacing_rate 21076618112bps delivery_rate 724000000bps delivered:756894 busy:724ms rwnd_limited:104ms(14.4%) unacked:273 retrans:0/1686 dsack_dups:1449 reordering:203 reord_seen:42 rcv_space:14480 rcv_ssthresh:64088 notsent:1769848 minrtt:0.003 snd_wnd:2874368 tcp-ulp-mptcp flags:mc token:0000(id:0)/af51dd7a(id:0) seq:0 sfseq:0 ssnoff:6afcdaa3 maplen:0
mptcp ESTAB 0      0       10.77.1.1:37522 10.77.1.2:5001 subflows_max:8 add_addr_accepted_max:8 fallback token:af51dd7a write_seq:50fa7e15f69ddc54 snd_una:50fa7e15f69ddc54                              
`;

// The plain TCP server of the same connection.
const plainServer = `tcp ESTAB 326552 0      10.77.1.2:5001 10.77.1.1:37522 bbr wscale:10,10 rto:204 rtt:0.019/0.009 ato:40 mss:1448 pmtu:1500 rcvmss:1448 advmss:1448 cwnd:10 bytes_received:1102969376 segs_out:23769 segs_in:773601 data_segs_in:773599 bbr:(bw:0bps,mrtt:0.019) send 6096842105bps lastsnd:800 pacing_rate 17423868384bps delivered:1 app_limited rcv_rtt:0.038 rcv_space:349488 rcv_ssthresh:2873481 minrtt:0.019 rcv_ooopack:5145 snd_wnd:64512
`;

const noInterface = (): undefined => undefined;

describe("ss -tMinOH", () => {
  it("gives a subflow's windows in bytes, its RTT in microseconds and its token", () => {
    const [first] = parseSocketStatistics(twoSubflows);
    expect(first).to.deep.equal({
      protocol: "tcp",
      state: "established",
      local: "10.77.1.1:40166",
      remote: "10.77.1.2:5001",
      congestionWindowBytes: 198 * 1448,
      slowStartThresholdBytes: 249 * 1448,
      smoothedRttMicroseconds: 42,
      bytesInFlight: 190 * 1448,
      bytesAcked: 1669545417,
      bytesReceived: 0,
      retransmissions: 4,
      subflow: { localToken: "2ae8ab40", backup: false },
    });
  });

  it("has no threshold while it is infinite, and no retransmissions where there were none", () => {
    const [subflow] = parseSocketStatistics(receivingSubflow);
    expect(subflow).not.to.have.property("slowStartThresholdBytes");
    expect(subflow).to.include({ bytesReceived: 1695371928, retransmissions: 0, bytesInFlight: 0 });
  });

  it("reads the device that the path manager bound, IPv6, v4-mapped addresses and the backup flags", () => {
    const lines = parseSocketStatistics(
      [
        "tcp SYN-SENT 0 1 10.77.2.1%wlan0:33493 10.77.1.2:5001 mss:1448 cwnd:10 flags:Jjbc token:93014b79(id:0)/2ae8ab40(id:1)",
        "tcp FIN-WAIT-2 0 0 [fd00::1]:80 [fd00::2]:1024 mss:1000 cwnd:10",
        "tcp ESTAB 0 0 [::ffff:10.0.0.1]:80 [::ffff:10.0.0.2]:1024 mss:1000 cwnd:10",
      ].join("\n"),
    );
    expect(lines[0]).to.deep.include({
      device: "wlan0",
      local: "10.77.2.1:33493",
      state: "syn-sent",
      subflow: { localToken: "2ae8ab40", backup: true },
    });
    expect(lines[1]).to.include({ local: "[fd00::1]:80", state: "fin-wait-2" });
    expect(lines[2]).to.include({ local: "10.0.0.1:80", remote: "10.0.0.2:1024" });
  });

  it("refuses output that it does not know rather than reading zeros out of it", () => {
    expect(() => parseSocketStatistics("tcp 10.0.0.1:80 10.0.0.2:1024 ESTAB 0 0")).to.throw(
      SyntaxError,
      "not a line of ss",
    );
    expect(parseSocketStatistics("")).to.deep.equal([]);
  });
});

describe("connectionSample", () => {
  const application = { local: "10.77.1.1:40166", remote: "10.77.1.2:5001", bytesWritten: 77, bytesRead: 5 };

  it("finds both subflows of a connection by its token", () => {
    const sample = connectionSample(application, parseSocketStatistics(twoSubflows), (address) =>
      address === "10.77.1.1" ? "epwa1" : undefined,
    );
    expect(sample?.connection).to.deep.equal({
      id: "10.77.1.1:40166-10.77.1.2:5001",
      mptcp: true,
      bytesSent: 77,
      bytesReceived: 5,
    });
    expect(sample?.subflows.map(({ id, interface: name }) => [id, name])).to.deep.equal([
      ["10.77.1.1:40166-10.77.1.2:5001", "epwa1"],
      ["10.77.2.1:33493-10.77.1.2:5001", "epwa2"],
    ]);
  });

  it("says when an MPTCP socket has fallen back, and still shows its one subflow", () => {
    const sample = connectionSample(
      { ...application, local: "10.77.1.1:37522" },
      parseSocketStatistics(fallback),
      noInterface,
    );
    expect(sample?.connection).to.include({ mptcp: false, fallback: "reported by the kernel" });
    expect(sample?.subflows).to.have.length(1);
  });

  it("shows plain TCP as a connection with itself as only subflow", () => {
    const server = { ...application, local: "10.77.1.2:5001", remote: "10.77.1.1:37522" };
    const sample = connectionSample(server, parseSocketStatistics(plainServer), noInterface);
    expect(sample?.connection).to.include({ mptcp: false }).and.not.to.have.property("fallback");
    expect(sample?.subflows.map(({ bytesReceived }) => bytesReceived)).to.deep.equal([1102969376]);
  });

  it("has nothing to say of a socket that the kernel no longer has", () => {
    expect(
      connectionSample({ ...application, local: "10.77.1.1:1" }, parseSocketStatistics(twoSubflows), noInterface),
    ).to.equal(undefined);
  });
});
