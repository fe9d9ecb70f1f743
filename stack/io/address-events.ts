import { getSystemErrorName } from "node:util";
import { formatIpAddress, ipv4FromNumber } from "../wire/ip-address.ts";
import { readIpv6 } from "../wire/ipv6-address.ts";
import { nativeAddon, type NativeHandle } from "./native/addon.ts";

/** An address that everybody may reach has come to an interface, or has gone; one that is still looked for on the link (RFC 4862 §5.4) comes when nobody else has it. */
export type AddressEvent = {
  type: "added" | "removed";
  interfaceIndex: number;
  address: string;
  prefixLength: number;
};

/** Tells of every change to the addresses of one network namespace (rtnetlink, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR). */
export class AddressEvents {
  readonly #handle: NativeHandle;

  /** `onLost`: changes were missed; ENOBUFS, the kernel's buffer overflowed. */
  constructor(
    namespacePath: string | undefined,
    onEvent: (event: AddressEvent) => void,
    onLost: (code: string) => void,
  ) {
    this.#handle = nativeAddon().openAddressEvents(
      namespacePath,
      (errno, interfaceIndex, bytes, prefixLength, deleted) => {
        if (errno !== 0) onLost(getSystemErrorName(-errno));
        else {
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          const address = bytes.length === 4 ? ipv4FromNumber(view.getUint32(0)) : readIpv6(view, 0);
          const type = deleted ? "removed" : "added";
          onEvent({ type, interfaceIndex, address: formatIpAddress(address), prefixLength });
        }
      },
    );
  }

  /** The process may end although it listens. */
  unref(): void {
    nativeAddon().setReferenced(this.#handle, false);
  }

  close(): void {
    nativeAddon().close(this.#handle);
  }
}
