/** What a namespace is told before a script runs in it: addresses, routes, and the kernel's settings where they differ from what scripts take for granted. */

import type { ScriptConfiguration } from "../script-configuration.ts";

/** Largest receive buffer of which the kernel makes a window scale of 7, as scripts expect it of a host that says nothing else. */
const usualReceiveBuffer = 6_291_456;
const usualSendBuffer = 4_194_304;

/** Shell commands. */
export function settingsOf(configuration: ScriptConfiguration): string {
  const { congestionControl, mptcpEnabled, dssChecksum, policy, synCookies, explicitCongestionNotification } =
    configuration;
  const receive = configuration.receiveBufferBytes;
  const send = configuration.sendBufferBytes;
  const { allowJoinInitialAddress, closeTimeoutMicroseconds } = policy;
  const settings: [string, string | number][] = [
    ["net/ipv6/conf/all/disable_ipv6", configuration.localAddress.includes(":") ? 0 : 1],
    // Duplicate address detection would hold a new address back.
    ["net/ipv6/conf/all/accept_dad", 0],
    ["net/ipv6/conf/default/accept_dad", 0],
    ["net/ipv4/conf/all/rp_filter", 0],
    ["net/ipv4/conf/default/rp_filter", 0],
    // LIA on one path grows as Reno does; in a namespace the kernel always allows Reno.
    ["net/ipv4/tcp_congestion_control", congestionControl === "lia" ? "reno" : congestionControl],
    [
      "net/ipv4/tcp_rmem",
      receive === undefined ? `4096 131072 ${usualReceiveBuffer}` : `${receive} ${receive} ${receive}`,
    ],
    ["net/ipv4/tcp_wmem", send === undefined ? `4096 16384 ${usualSendBuffer}` : `${send} ${send} ${send}`],
    ["net/ipv4/tcp_no_metrics_save", 1],
    // Acknowledgements of segments out of the window are not held back.
    ["net/ipv4/tcp_invalid_ratelimit", 0],
    ["net/ipv4/tcp_syncookies", { never: 0, "when-full": 1, always: 2 }[synCookies]],
    ["net/ipv4/tcp_ecn", Number(explicitCongestionNotification)],
    ["net/ipv4/tcp_fastopen", configuration.fastOpen],
    // A path that loses a SYN with data on purpose is no path that drops them.
    ["net/ipv4/tcp_fastopen_blackhole_timeout_sec", 0],
    ["net/mptcp/enabled", Number(mptcpEnabled)],
    ["net/mptcp/checksum_enabled", Number(dssChecksum)],
    // Unanswered SYNs would switch MPTCP off for an hour (linux-peer).
    ["net/mptcp/blackhole_timeout", 0],
    ["net/mptcp/add_addr_timeout", 1],
  ];
  if (allowJoinInitialAddress !== undefined)
    settings.push(["net/mptcp/allow_join_initial_addr_port", Number(allowJoinInitialAddress)]);
  if (closeTimeoutMicroseconds !== undefined)
    settings.push(["net/mptcp/close_timeout", Math.round(closeTimeoutMicroseconds / 1_000_000)]);
  return settings.map(([name, value]) => `echo "${value}" >/proc/sys/${name}`).join("\n");
}

/** Shell commands. Each address has a device of its own, and its packets leave through that. */
export function setUpCommands(configuration: ScriptConfiguration): string {
  const { endpoints, localAddress, mtu, policy } = configuration;
  const isIpv6 = localAddress.includes(":");
  const batch: string[] = ["link set lo up"];
  [localAddress, ...endpoints.map(({ address }) => address)].forEach((address, i) => {
    const device = `tun${i}`;
    batch.push(`link set ${device} mtu ${mtu} up`, `address add ${address}/${isIpv6 ? 64 : 24} dev ${device}`);
    batch.push(`route add default dev ${device} metric ${i + 1}`, `route add default dev ${device} table ${100 + i}`);
    batch.push(`rule add from ${address} table ${100 + i}`);
  });
  const { maximumSubflows = 8, maximumAddressesAccepted = 8 } = policy;
  const multipath = [
    `ip mptcp limits set subflow ${maximumSubflows} add_addr_accepted ${maximumAddressesAccepted}`,
    ...endpoints.map(({ address, flags, port }, i) => {
      const told = port === 0 ? "" : ` port ${port}`;
      return `ip mptcp endpoint add ${address} dev tun${i + 1} ${flags.join(" ")}${told}`;
    }),
  ];
  const family = isIpv6 ? "-6 " : "";
  return `ip ${family}-batch - <<END\n${batch.join("\n")}\nEND\n${multipath.join("\n")}`;
}
