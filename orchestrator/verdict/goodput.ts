/**
 * Bits of payload a second between two times in microseconds; undefined where nothing came, or nobody knows when. Where the first byte came with the opening itself, as over links that
 * take no time to send, it lasts a microsecond, which is the resolution of all records.
 */
export function goodputOf(bytes: number, openedAt: number | undefined, lastAt: number | undefined): number | undefined {
  if (bytes === 0 || openedAt === undefined || lastAt === undefined) return undefined;
  const lasted = lastAt - openedAt;
  return lasted >= 0 && Number.isFinite(lasted) ? (bytes * 8e6) / Math.max(1, lasted) : undefined;
}
