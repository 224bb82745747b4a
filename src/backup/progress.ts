// How far is a long piece of work? Told often enough to watch, seldom enough to cost nothing.

export interface BackupProgress {
  /** The backup that is taken, read or restored. */
  readonly id: string;
  readonly phase: string;
  readonly doneBytes: number;
  /** What is expected; 0 when nobody knows. */
  readonly totalBytes: number;
  readonly storedBytes?: number;
}

const INTERVAL_MS = 250;

/** Passes on the first word of each phase at once, and of the others one in a quarter of a second. */
export function createPulse(tell: (progress: BackupProgress) => void) {
  let phase = "";
  let toldAt = 0;
  return (progress: BackupProgress): void => {
    const now = performance.now();
    if (progress.phase === phase && now - toldAt < INTERVAL_MS) return;
    phase = progress.phase;
    toldAt = now;
    tell(progress);
  };
}
