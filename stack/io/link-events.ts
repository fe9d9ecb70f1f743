import { getSystemErrorName } from "node:util";
import { nativeAddon, type NativeHandle } from "./native/addon.ts";

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** One interface of one namespace, as the kernel has it. `running`: up and with carrier, so packets can pass. */
export type InterfaceInfo = {
  name: string;
  index: number;
  mtu: number;
  mac: Uint8Array;
  running: boolean;
};

/**
 * Looks an interface up.
 *
 * @param namespacePath a file such as /run/netns/NAME or /proc/PID/ns/net; undefined for the own namespace
 * @throws Error with code ENODEV (no such interface), ENOENT or EPERM (the namespace)
 */
export function interfaceInfo(namespacePath: string | undefined, name: string): InterfaceInfo {
  const { index, mtu, mac, flags } = nativeAddon().interfaceInfo(namespacePath, name);
  return { name, index, mtu, mac, running: isRunning(flags) };
}

/** A hardware address as `InterfaceOptions` has it. */
export function hexadecimal(mac: Uint8Array): string {
  return Array.from(mac, (octet) => octet.toString(16).padStart(2, "0")).join(":");
}

/** `lost`: the kernel's buffer overflowed (ENOBUFS) and the listener has to look the interfaces up again. */
export type LinkEvent =
  | { type: "changed"; index: number; name: string; running: boolean; mtu: number }
  | { type: "deleted"; index: number; name: string }
  | { type: "lost"; code: string };

/** Tells of every change to the interfaces of one network namespace (rtnetlink, RTMGRP_LINK). */
export class LinkEvents {
  readonly #handle: NativeHandle;

  constructor(namespacePath: string | undefined, onEvent: (event: LinkEvent) => void) {
    this.#handle = nativeAddon().openLinkEvents(namespacePath, (errno, index, name, flags, mtu, deleted) => {
      if (errno !== 0) onEvent({ type: "lost", code: getSystemErrorName(-errno) });
      else if (deleted) onEvent({ type: "deleted", index, name });
      else onEvent({ type: "changed", index, name, running: isRunning(flags), mtu });
    });
  }

  /** The process may end although it listens. */
  unref(): void {
    nativeAddon().setReferenced(this.#handle, false);
  }

  close(): void {
    nativeAddon().close(this.#handle);
  }
}

function isRunning(flags: number): boolean {
  return (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0;
}
