/** What systemd's states mean for somebody who waits: has it ended, does it run, is it on its way? */
import type { UnitRuntime } from './unit-manager.ts'

/** `ended` also covers a unit that never ran; `unknown` is a word of a systemd newer than this code. */
export type Activity = 'running' | 'starting' | 'stopping' | 'ended' | 'failed' | 'unknown'

/**
 * What an ActiveState amounts to.
 *
 * @see systemd's org.freedesktop.systemd1(5), property ActiveState
 */
export function activityOf(activeState: string): Activity {
  switch (activeState) {
    case 'active':
    case 'reloading':
    case 'refreshing':
      return 'running'
    case 'activating':
      return 'starting'
    case 'deactivating':
      return 'stopping'
    case 'inactive':
      return 'ended'
    case 'failed':
      return 'failed'
    // a unit under maintenance is up for systemd's jobs, but nothing of it runs
    case 'maintenance':
      return 'ended'
    default:
      return 'unknown'
  }
}

/** Whether nothing of the unit runs any more, so that its file can be taken away. */
export const hasEnded = (activeState: string): boolean => {
  const activity = activityOf(activeState)
  return activity === 'ended' || activity === 'failed'
}

/** Whether the agent should count the unit as launched when it comes back and finds it: it runs or is about to. */
export const isUp = (runtime: Pick<UnitRuntime, 'activeState'>): boolean => {
  const activity = activityOf(runtime.activeState)
  return activity === 'running' || activity === 'starting'
}
