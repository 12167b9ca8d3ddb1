/** What a store consists of; for the parts that work on all of it. */
import type { StoreCounters } from './stats.ts'
import type { Tree } from './tree.ts'
import type { WatchHistory } from './watch-history.ts'

/** All that a store consists of, apart from its watchers. */
export type StoreState = {
  readonly tree: Tree
  readonly history: WatchHistory
  readonly counters: StoreCounters
  readonly sliceNodesMax: number
  readonly partBytesMax: number
  readonly reclaimSteps: number
  index: number
}
