/** What became of a program that nobody changed. Times are microseconds, of CLOCK_MONOTONIC while it runs and since the run's zero in a bundle. */
export interface ProgramResult {
  readonly kind: "program";
  /** Absent where a signal ended it. */
  readonly exitCode?: number;
  readonly signal?: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly files: readonly ReceivedFile[];
  /** Of a player. */
  readonly played?: PlayedVideo;
}

/** A file that the client wrote, beside the server's that it must be the same as. */
export interface ReceivedFile {
  readonly name: string;
  readonly source: string;
  readonly sourceBytes: number;
  readonly sourceSha256: string;
  /** Absent where the client wrote none. */
  readonly bytes?: number;
  readonly sha256?: string;
}

export interface PlayedVideo {
  /** Of what the server had, in their order. */
  readonly segments: readonly VideoSegment[];
  /** As the player told it. */
  readonly progress: readonly PlayerProgress[];
}

export interface VideoSegment {
  readonly bytes: number;
  readonly microseconds: number;
}

export interface PlayerProgress {
  readonly at: number;
  /** From the first picture to the end of the last that was shown. */
  readonly mediaMicroseconds: number;
  readonly frames: number;
}

/** The same with its moments moved: `zero` becomes 0. */
export function sinceZero(result: ProgramResult, zero: number): ProgramResult {
  const { startedAt, endedAt, played } = result;
  return {
    ...result,
    startedAt: startedAt - zero,
    endedAt: endedAt - zero,
    ...(played !== undefined && {
      played: { ...played, progress: played.progress.map((told) => ({ ...told, at: told.at - zero })) },
    }),
  };
}
