import { expect } from "chai";
import { parseScript } from "./parse-script.ts";
import { ScriptSyntaxError } from "./script-error.ts";
import type { Action, Statement } from "./syntax.ts";

function parse(text: string): Statement[] {
  return parseScript(text, "t.pkt").statements;
}

function one(text: string): Action {
  return parse(text)[0]!.action;
}

function tcpOf(text: string): NonNullable<Extract<Action, { kind: "packet" }>["packet"]["tcp"]> {
  const action = one(text);
  if (action.kind !== "packet" || action.packet.tcp === undefined) throw new Error("no TCP packet");
  return action.packet.tcp;
}

function errorOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ScriptSyntaxError) return error.message;
    throw error;
  }
  throw new Error("it parses");
}

describe("the language of scripts", () => {
  it("has times: absolute, relative, ranges, any, and the end of a call that blocks", () => {
    const times = parse(
      "0 `a`\n.1 `a`\n+0.010 `a`\n+.2~+.4 `a`\n1~2 `a`\n* > . 1:1(0) ack 1\n+0...0.100 accept(3, ..., ...) = 4",
    );
    expect(times.map(({ time }) => time)).to.deep.equal([
      { kind: "at", relative: false, from: 0, to: 0 },
      { kind: "at", relative: false, from: 100_000, to: 100_000 },
      { kind: "at", relative: true, from: 10_000, to: 10_000 },
      { kind: "at", relative: true, from: 200_000, to: 400_000 },
      { kind: "at", relative: false, from: 1_000_000, to: 2_000_000 },
      { kind: "any" },
      { kind: "at", relative: true, from: 0, to: 0 },
    ]);
    expect(times.at(-1)!.endTime).to.equal(100_000);
  });

  it("has option lines, commands without a time, code, and comments of C and C++", () => {
    const script = parseScript(
      "// first\n--tolerance_usecs=10000 // ten\n--ip_version=ipv4\n--dry_run\n/* not\nthis */ `set a \\\n b`\n+0 %{ assert tcpi_state == 1 }%",
      "t.pkt",
    );
    expect(script.options.map(({ name, value }) => [name, value])).to.deep.equal([
      ["tolerance_usecs", "10000"],
      ["ip_version", "ipv4"],
      ["dry_run", undefined],
    ]);
    expect(script.statements.map(({ action }) => action)).to.deep.equal([
      { kind: "shell", command: "set a \\\n b" },
      { kind: "code", text: "assert tcpi_state == 1" },
    ]);
  });

  it("has packets with flags, numbers, window and urgent pointer", () => {
    expect(tcpOf("+0 < PU. 1:101(100) ack 5 win 257 urg 9")).to.deep.include({
      flags: "PU.",
      sequence: 1,
      length: 100,
      acknowledgement: 5,
      window: 257,
      urgentPointer: 9,
    });
    expect(tcpOf("+0 < SEW 0:0(0) win 1").flags).to.equal("SEW");
    expect(tcpOf("+0 > . 4294967290:4(10) ack 1").length).to.equal(10);
    expect(tcpOf("+0 > - 1:1(0)").flags).to.equal("");
    expect(tcpOf("+0 > R 1:1(0)").acknowledgement).to.equal(undefined);
  });

  it("has the ordinary options, any options, and none", () => {
    expect(
      tcpOf("+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7,FO 0a1b2c3d,eol>").options!.map(
        ({ kind }) => kind,
      ),
    ).to.deep.equal(["mss", "sackOK", "TS", "nop", "wscale", "FO", "eol"]);
    expect(tcpOf("+0 < . 1:1(0) ack 1 win 9 <sack 1:2 3:4 5:6,nop,nop>").options![0]).to.deep.equal({
      kind: "sack",
      blocks: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    });
    expect(tcpOf("+0 > . 1:1(0) ack 1 <...>").options).to.equal(undefined);
    expect(tcpOf("+0 > S. 0:0(0) ack 1 <mss MSS,ECN e1b 1 ceb 0 e0b 1,nop>").options).to.deep.include.members([
      { kind: "nop" },
    ]);
    expect(tcpOf("+0 > . 1:1(0) ack 1").options).to.deep.equal([]);
  });

  it("has the options of MPTCP", () => {
    const options = (text: string): unknown[] => tcpOf(`+0 < . 1:1(0) ack 1 win 9 <${text}>`).options!;
    expect(
      options("mpcapable v1 flags[flag_a, flag_h] key[ckey=2, skey] mpcdatalen 100 cksum=0x1234")[0],
    ).to.deep.include({
      kind: "mpcapable",
      version: 1,
      flags: 0x81,
      dataLength: 100,
      checksum: 0x1234,
    });
    expect(options("dss dack8=1001 dsn4=7 ssn=0 dll=1 nocs fin")[0]).to.deep.include({
      kind: "dss",
      subflowSequence: 0,
      length: 1,
      checksum: "none",
      fin: true,
      acknowledgement: { octets: 8, value: 1001n, base: undefined },
      sequence: { octets: 4, value: 7n, base: undefined },
    });
    expect(options("dss dack8=3 dll=0 nocs, mp_prio backup=1 address_id=4, nop")).to.have.length(3);
    expect(options("dss dsn4=trunc_r64_hmac_sha256(skey)+1 ssn=1 dll=9 nocs")[0]).to.have.nested.property(
      "sequence.base.name",
      "skey",
    );
    expect(options("mp_join_syn backup=1 address_id=1 token=sha256_32(skey)")[0]).to.deep.include({
      backup: true,
      addressId: 1,
    });
    expect(options("mp_join_syn_ack address_id=0 sender_hmac=auto")[0]).to.deep.include({ hmac: { kind: "auto" } });
    expect(options("mp_join_ack sender_hmac=full_160_hmac(a b)")[0]).to.have.nested.property("hmac.keys[1].name", "b");
    expect(
      options('add_address address_id=12 addr[ep=inet_addr("198.51.100.2")] port=4321 addr_echo, nop, nop')[0],
    ).to.deep.include({
      addressId: 12,
      port: 4321,
      echo: true,
    });
    expect(options("add_address addr[saddr1] hmac=auto")[0]).to.have.nested.property("address.name", "saddr1");
    expect(options("remove_address address_id=[1,10]")[0]).to.deep.include({ addressIds: [1, 10] });
    expect(options("mp_fail dsn8=5")[0]).to.have.nested.property("sequence.value", 5n);
    expect(options("mp_fastclose")[0]).to.deep.include({ key: undefined });
    expect(options("mp_fastclose ckey=42")[0]).to.have.nested.property("key.value", 42n);
    expect(options("mp_fastclose ckey + 3, nop")[0]).to.have.nested.property("step", 3n);
    expect(options("mpcapable none flags 0x81 nokey")[0]).to.deep.include({ version: 1, flags: 0x81 });
    expect(options("mp_capable a=5 b")[0]).to.deep.include({ kind: "mpcapable", version: 0, flags: 0x81 });
    expect(options("mp_capable_no_cs a")[0]).to.deep.include({ flags: 1 });
    expect(options("mp_capable a flag_b flag_h")[0]).to.deep.include({ flags: 0x41 });
    expect(options("mp_join_syn_ack sender_hmac=trunc_l64_hmac(7)")[0]).to.deep.include({
      hmac: { kind: "literal", value: 7n },
    });
    expect(options("dss dack8=trunc_r64_hmac_sha256(2)")[0]).to.have.nested.property("acknowledgement.base.value", 2n);
    expect(options("dss dsn4=trunc_r64_hmac_sha1(2)")[0]).to.have.nested.property("sequence.version", 0);
    expect(options("mp_reset 1 flags[flag_t]")[0]).to.deep.include({ reason: 1, flags: 1 });
  });

  it("has the addresses of either side, and the socket", () => {
    const packet = (text: string): Extract<Action, { kind: "packet" }>["packet"] => {
      const action = one(text);
      if (action.kind !== "packet") throw new Error("no packet");
      return action.packet;
    };
    const both = packet("+0 < addr[caddr0] > addr[saddr0] S 0:0(0) win 1 <mss 1> sock(3)");
    expect([both.source?.name, both.destination?.name, both.socket]).to.deep.equal(["caddr0", "saddr0", 3]);
    const marked = packet("+0 < [ce] addr[caddr0] > addr[saddr0] . 1:1(0) ack 1 win 1");
    expect([marked.congestionMark, marked.unsupported, marked.source?.name]).to.deep.equal([3, undefined, "caddr0"]);
    const right = packet("+0 > > addr[saddr1:4321] S 0:0(0)");
    expect([right.source, right.destination?.name, right.destination?.port]).to.deep.equal([undefined, "saddr1", 4321]);
  });

  it("has forms that only parse: fields of the IP header, encapsulation, UDP, ICMP", () => {
    for (const text of [
      "+0 < [ttl 3] . 1:1001(1000) ack 1 win 123",
      "+0 < ipv4 2.2.2.2 > 1.1.1.1: gre: . 1:1001(1000) ack 1 win 123",
      "+0 > ipv6 1::1111 > 2::2222: gre flags 0xb000, sum 511: . 1:1001(1000) ack 1",
      "+0 < ipv4 2.2.2.2 > 1.1.1.1: gre:\n mpls (label 123, tc 1, [S], ttl 255): . 1:1001(1000) ack 1 win 123",
      "+0 < ipv4 2.2.2.2 > 1.1.1.1: psp spi 12: . 1:1001(1000) ack 1 win 123",
      "+0 < encap psp spi 0x1f, vc 0x1234 P. 1:11(10) ack 1 win 123",
      "+0 > [ect0, tos 0x10] addr[saddr0] > addr[caddr0] SEWA 0:0(0) <...>",
      "+0 > [tos 0x04] > addr[caddr1] S 0:0(0) <...>",
      "+0 < udp (1000)",
      "+0 > udp 1234 > 53 (100)",
      "+0 > udp addr[caddr0] > addr[saddr0] (100)",
      "+0 < 1234 > 80 . 1:1(0) ack 1 win 9",
      "+0 < 192.0.2.1:1234 > 192.0.2.2:80 S 0:0(0) win 9",
      "+0 < 2001:db8:0:0:0:0:0:1:1234 > 2001:db8:0:0:0:0:0:2:80 S 0:0(0) win 9",
      "+0 < icmp unreachable frag_needed mtu 1400 [1:1461(1460)]",
      "+0 < icmp echo_request id 7",
      "+0 < icmp unreachable port_unreachable [udp (10)]",
      "+0 < udp 5000 > 8080 (10)",
      "+0 > [ect0] PE3. 1:11(10) ack 1 <ECN e1b 1>",
      "+0 < E.4 1:1(0) ack 1 win 9",
      "+0 < . 1:11(10) ack 1 win 9 <nop> {rep tcp win_size 0x9; trun ipv4 12-15}",
    ]) {
      const action = one(text);
      expect(action.kind === "packet" && action.packet.unsupported, text).to.be.a("string");
    }
  });

  it("has calls with structures, lists, sums of flags, notes and results that do not matter", () => {
    for (const text of [
      "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
      "+0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)",
      "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
      "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0",
      '+0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.168.0.1")}, ...) = 0',
      "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1",
      "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 4000}], msg_flags=0}, MSG_ZEROCOPY) = ?",
      '+0 write(3, "cut o"..., 100) = 100',
      "+0 getsockopt(3, SOL_TCP, TCP_INFO, state = 1, [4]) = 0",
      "+0 connect(4, AF_PACKET, ...) = -1 EAFNOSUPPORT (Address family not supported by protocol)",
      "+0 pipe([5, 6]) = 0",
      "+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1",
      "+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLIN|EPOLLONESHOT, u64=0x7}) = 0",
      "+0 splice(4, NULL, 6, NULL, 10, 0) = -1 EAGAIN (Resource temporarily unavailable)",
      "+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{...,0}], msg_flags=MSG_ERRQUEUE, msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0,scm_nsec=5}}]}, MSG_ERRQUEUE) = 0",
      '+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "cu"..., [2]) = 0',
      "+0 setsockopt(4, SOL_IP, TUNNEL, {flags [key present, sequence# present], sum 0, off 0, key=7, seq 1}, 4) = 0",
      "+0 setsockopt(4, SOL_IP, TUNNEL, {(label 7, tc 0, ttl 9) (label 8, tc 1, [S], ttl 9)}, 4) = 0",
    ]) {
      expect(one(text).kind, text).to.equal("call");
    }
  });

  it("tells where it went wrong, what was expected there and what was found", () => {
    expect(errorOf("+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 > S. 0:0(0) akc 1")).to.equal(
      't.pkt:2:16: expected a time, as 0.100, +0.01, +0~+0.5 or *, found "akc"',
    );
    expect(errorOf("+0 < . 1:1(0) ack 1 <mss>")).to.equal('t.pkt:1:25: expected a segment size, found ">"');
    expect(errorOf("+0 < . 1:102(100) ack 1")).to.equal("t.pkt:1:8: expected 1:101(100), found 1:102(100)");
    expect(errorOf("+0 < . 1:1(0) ack 1 <dss dak4=1>")).to.match(/^t\.pkt:1:26: expected dack4, .*, found "dak4"$/);
    expect(errorOf("+0 < . 1:1(0) ack 1 <mpcapable v1 flags[flag_x] nokey>")).to.match(
      /^t\.pkt:1:41: expected flag_a, .*, found "flag_x"$/,
    );
    expect(errorOf("+0 accept(3, ..., ...) 4")).to.equal('t.pkt:1:24: expected "=", found "4"');
    expect(errorOf("+0 accept(3, ...")).to.equal('t.pkt:1:17: expected ",", found the end of the file');
    expect(errorOf('+0 bind(3, "abc) = 0')).to.equal(
      't.pkt:1:12: expected a closing " after ", found the end of the file',
    );
    expect(errorOf("+0 < . 1:1(0) win 70000")).to.equal("t.pkt:1:19: expected a window from 0 to 65535, found 70000");
    expect(errorOf("+1~+0 > . 1:1(0)")).to.match(/^t\.pkt:1:1: expected a range/);
    expect(errorOf("// nothing")).to.equal("t.pkt:1:11: expected a statement, found the end of the file");
  });
});
