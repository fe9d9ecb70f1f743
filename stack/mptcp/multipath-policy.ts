/** What RFC 8684 leaves to the host: how many subflows, to which addresses, for how long without any. */

export interface MultipathPolicy {
  /** False: further subflows do not come to the address and port of the first one (flag C of MP_CAPABLE, RFC 8684 §3.1); default true. */
  readonly allowJoinInitialAddress: boolean;
  /** Subflows of a connection beside the first one, whichever side opens them; default 7. Refused as 0 with a path manager that opens some. */
  readonly maximumSubflows: number;
  /** Addresses that a peer may add to its first one (ADD_ADDR, RFC 8684 §3.4.1), 0 … 255; default 8. More are echoed and not used. */
  readonly maximumAddressesAccepted: number;
  /** How long a connection outlives its last subflow, waiting for another (RFC 8684 §3.4.2); default 60 s, as Linux. 0: not at all. */
  readonly closeTimeoutMicroseconds: number;
  /** How a connection is given up (MP_FASTCLOSE, RFC 8684 §3.5): by RST on every subflow, as Linux; or on an acknowledgement, which the peer answers. */
  readonly fastClose: "reset" | "acknowledgement";
}

export const defaultMultipathPolicy: MultipathPolicy = {
  allowJoinInitialAddress: true,
  maximumSubflows: 7,
  maximumAddressesAccepted: 8,
  closeTimeoutMicroseconds: 60_000_000,
  fastClose: "reset",
};
