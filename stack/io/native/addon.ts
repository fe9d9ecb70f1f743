import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildNative } from "./build.ts";
import { embeddedAddon } from "./embedded-addon.ts";

/** One watched file descriptor of the addon. Lives until `close`. */
export type NativeHandle = { readonly brand: unique symbol };

/** The numbers that {@link NativeAddon.openPacketSocket} takes; booleans are 0 or 1. */
export type NativePacketSocketOptions = {
  vnetHeader: number;
  /** Records tell when a frame came, and whether it was sent or received. */
  stamped: number;
  ignoreOutgoing: number;
  /** Only frames of this EtherType; 0 for all. */
  etherType: number;
  receiveBufferBytes: number;
  sendBufferBytes: number;
  slotBytes: number;
  slotCount: number;
};

/** The numbers that {@link NativeAddon.openTun} takes; booleans are 0 or 1. */
export type NativeTunOptions = {
  vnetHeader: number;
  /** The kernel may hand out TCP segments of up to 64 KiB, to be cut by whoever reads. */
  segmentation: number;
  slotBytes: number;
  slotCount: number;
};

/** What the C code gives; each function is described at its definition. Errors carry `code` as in node:fs. */
export type NativeAddon = {
  openPacketSocket(
    namespacePath: string | undefined,
    interfaceName: string,
    options: NativePacketSocketOptions,
    memory: Uint8Array,
    slots: Uint32Array,
    records: Uint8Array,
    onBatch: (count: number, errno: number) => void,
  ): NativeHandle;
  send(
    handle: NativeHandle,
    table: Int32Array,
    count: number,
    pieces: Int32Array,
    memories: readonly Uint8Array[],
    status: Int32Array,
  ): number;
  notifyWritable(handle: NativeHandle): void;
  packetDrops(handle: NativeHandle): number;
  openTun(
    namespacePath: string | undefined,
    name: string,
    options: NativeTunOptions,
    memory: Uint8Array,
    slots: Uint32Array,
    records: Uint8Array,
    onBatch: (count: number, errno: number) => void,
  ): NativeHandle;
  writeTun(
    handle: NativeHandle,
    table: Int32Array,
    count: number,
    pieces: Int32Array,
    memories: readonly Uint8Array[],
    status: Int32Array,
  ): number;
  interfaceInfo(
    namespacePath: string | undefined,
    interfaceName: string,
  ): { index: number; mtu: number; flags: number; mac: Uint8Array };
  openLinkEvents(
    namespacePath: string | undefined,
    onEvent: (errno: number, index: number, name: string, flags: number, mtu: number, deleted: boolean) => void,
  ): NativeHandle;
  openAddressEvents(
    namespacePath: string | undefined,
    onEvent: (errno: number, index: number, address: Uint8Array, prefixLength: number, deleted: boolean) => void,
  ): NativeHandle;
  monotonicMicroseconds(): number;
  realtimeOffsetMicroseconds(): number;
  openTimer(onTime: () => void): NativeHandle;
  armTimer(handle: NativeHandle, atMicroseconds: number): void;
  setRealtimePriority(priority: number): void;
  setTimerSlackNanoseconds(slack: number): void;
  returnFreedMemory(): void;
  close(handle: NativeHandle): void;
  setReferenced(handle: NativeHandle, isReferenced: boolean): void;
};

/** The name under which a bundle carries the addon beside itself. */
export const bundledAddonName = "pathlab-native.node";

/**
 * Where the addon is, if it is not inside the bundle that runs: PATHLAB_NATIVE, else beside the bundle, else `build/native/` of the repository,
 * built when it is not there.
 *
 * @throws Error with the code ENOENT when PATHLAB_NATIVE names no file; NativeBuildError
 */
function nativeAddonPath(): string {
  const named = process.env["PATHLAB_NATIVE"];
  if (named !== undefined) {
    if (!existsSync(named))
      throw Object.assign(new Error(`PATHLAB_NATIVE names no file: ${named}`), { code: "ENOENT" });
    return path.resolve(named);
  }
  const beside = path.join(import.meta.dirname, bundledAddonName);
  return existsSync(beside) ? beside : buildNative();
}

/** The addon, loaded when first used: importing the modules around it needs neither Linux nor a compiler. */
export function nativeAddon(): NativeAddon {
  loaded ??=
    process.env["PATHLAB_NATIVE"] === undefined && embeddedAddon !== undefined
      ? loadEmbedded(embeddedAddon)
      : load(nativeAddonPath());
  return loaded;
}

/** @throws Error with the code ERR_DLOPEN_FAILED for an addon of another architecture */
function load(file: string): NativeAddon {
  return createRequire(import.meta.url)(file) as NativeAddon;
}

/** The loader takes files only; once it has mapped this one nobody needs its name. */
function loadEmbedded(base64: string): NativeAddon {
  const directory = mkdtempSync(path.join(tmpdir(), "pathlab-native-"));
  try {
    const file = path.join(directory, bundledAddonName);
    writeFileSync(file, base64, "base64");
    return load(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

let loaded: NativeAddon | undefined;
