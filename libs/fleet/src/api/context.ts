import type { Policy } from '@cluster/scheduler'
import type { FleetEvents } from '../events.ts'
import type { ClusterView } from '../registry/cluster-view.ts'
import type { Registry } from '../registry/registry.ts'

/** What the handlers of the API work with. */
export type ApiContext = {
  readonly registry: Registry
  /** Everything, read now; later pages of one list may be given the view of the first while nothing changed. */
  readonly readView: (page: number, signal: AbortSignal) => Promise<ClusterView>
  /** Entries on a page. */
  readonly tokenLimit: number
  readonly policy: Policy
  readonly events: FleetEvents
}
