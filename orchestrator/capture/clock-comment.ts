/**
 * A capture tells the time of day, everything else of a run CLOCK_MONOTONIC. The offset between the two stands in a
 * comment of the section header, so that the file alone can be laid over the timeline.
 */
const name = "pathlab-realtime-offset-microseconds";

export function clockComment(realtimeOffsetMicroseconds: number): string {
  return `${name}=${realtimeOffsetMicroseconds.toFixed(1)}`;
}

/** CLOCK_REALTIME minus CLOCK_MONOTONIC as the comments of a section tell it; undefined when none does. */
export function realtimeOffsetFromComments(comments: readonly string[]): number | undefined {
  const found = comments.find((comment) => comment.startsWith(`${name}=`));
  return found === undefined ? undefined : Number(found.slice(name.length + 1));
}
