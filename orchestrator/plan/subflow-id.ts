/** How records of a run name a subflow: local and remote end, `10.0.1.2:40000-10.0.9.2:5001` or `[2001:db8:0:1::2]:40000-[2001:db8:0:9::2]:5001`. */

export interface SubflowEnd {
  readonly address: string;
  readonly port: number;
}

export interface SubflowEnds {
  readonly local: SubflowEnd;
  readonly remote: SubflowEnd;
}

const form = /^(?:\[([\da-f:.]+)\]|([\d.]+)):(\d+)-(?:\[([\da-f:.]+)\]|([\d.]+)):(\d+)$/;

/** Undefined where it is none. */
export function parseSubflowId(subflow: string): SubflowEnds | undefined {
  const match = form.exec(subflow);
  if (match === null) return undefined;
  const [, localIpv6, localIpv4, localPort, remoteIpv6, remoteIpv4, remotePort] = match;
  return {
    local: { address: (localIpv6 ?? localIpv4)!, port: Number(localPort) },
    remote: { address: (remoteIpv6 ?? remoteIpv4)!, port: Number(remotePort) },
  };
}
