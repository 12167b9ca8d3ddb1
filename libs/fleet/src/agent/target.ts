/** What this machine should have and has, as the planner wants to be told. Pure. */
import {
  type AgentState,
  type CurrentUnit,
  type MachineTarget,
  type Policy,
  type TargetUnit,
  targetUnits,
} from '@cluster/scheduler'
import { isUp, type UnitRuntime } from '@cluster/systemd'
import { type ClusterView, clusterStateOf, overlayMetadata } from '../registry/cluster-view.ts'

export type OwnMachineInput = {
  readonly id: string
  /** As configured here; what was set through the API comes on top. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The units this machine should have. The machine's ID is its own knowledge, never the registry's: a key that vanished
 * must not unload everything (spec/fleet.md trap 1).
 */
export function machineTargetOf(view: ClusterView, { id, metadata }: OwnMachineInput, policy: Policy): MachineTarget {
  const effective = overlayMetadata(metadata, view.dynamicMetadata.get(id))
  return targetUnits(clusterStateOf(view), { id, metadata: effective, isRegistered: view.machines.has(id) }, policy)
}

/** How far a unit is known to have been brought, and with which text. */
export type Progress = { readonly state: AgentState; readonly hash: string | undefined }

/**
 * How far a unit that this process did not load itself was brought by an earlier life of it: what runs was launched,
 * and so was what the record says, even if it has ended since. So a restart of the daemon starts nothing twice.
 *
 * @param launchedHash hash with which the record says the unit was started
 */
export function adoptedProgress(runtime: UnitRuntime, launchedHash: string | undefined): Progress {
  const hash = runtime.hash ?? launchedHash
  if (isUp(runtime) || (launchedHash !== undefined && launchedHash === hash)) return { state: 'launched', hash }
  // A file without a link behind it is what a crash in the middle of a load leaves.
  return { state: runtime.loadState === 'not-found' ? 'inactive' : 'loaded', hash }
}

/**
 * The units that are there. A file that cannot be read now is taken for what was last read or written there: a unit that
 * runs is not stopped for want of data.
 */
export function currentUnitsOf(
  runtimes: ReadonlyMap<string, UnitRuntime>,
  progress: ReadonlyMap<string, Progress>,
): readonly CurrentUnit[] {
  return [...runtimes].map(([name, runtime]) => {
    const known = progress.get(name)
    const hash = runtime.hash ?? known?.hash
    return { name, state: known?.state ?? 'inactive', ...(hash === undefined ? {} : { hash }) }
  })
}

/**
 * Leaves out what must not be touched: units whose text or object cannot be read now (they are not gone), and units
 * that an earlier task is still at work on.
 */
export function withoutUntouchable<Item extends TargetUnit | CurrentUnit>(
  items: readonly Item[],
  view: ClusterView,
  busy: ReadonlySet<string>,
): readonly Item[] {
  return items.filter(({ name }) => !view.unreadableUnits.has(name) && !busy.has(name))
}
