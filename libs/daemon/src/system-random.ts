import type { Random } from '@cluster/prelude'

/** Chance as the machine has it; for jitter and spreading, not for secrets. */
export const systemRandom: Random = { next: () => Math.random() }
