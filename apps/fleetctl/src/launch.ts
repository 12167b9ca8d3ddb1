/** When is a unit where it was told to be? Pure. Source: spec/fleet.md §3.1, §10.3, traps 22 and 23. */
import type { UnitOption } from '@cluster/unit-file'
import type { Sighting } from './wait.ts'

/**
 * Whether the unit has reached a state. With `hash` the machine must have that content: right after a replacement the
 * state of the old one may still be published.
 */
export function hasReached(state: string, { unit, states }: Sighting, hash?: string): boolean {
  if (unit === undefined || unit.currentState !== state) return false
  if (hash === undefined || state === 'inactive') return true
  return states.some((published) => published.machineId === unit.machineId && published.hash === hash)
}

/** Whether nothing is left of a run: not launched, and systemd has let go of it, too. */
export const hasStopped = ({ unit, states }: Sighting): boolean =>
  unit?.currentState !== 'launched' &&
  states.every(({ activeState }) => activeState === 'inactive' || activeState === 'failed')

/** How long a finished oneshot has to look finished: its state may still be the one from before the start. */
const settledMs = 1000

export type Watch = {
  /** Whether the unit runs, starts up without trouble so far, or has done what it is there for. */
  readonly isUp: (sighting: Sighting, elapsedMs: number) => boolean
}

/**
 * Watches a unit from the moment on that fleet calls it launched. `active` is up at once; `activating` is up if it is
 * still so at the end of the time; a oneshot is up when it has finished. A unit that systemd restarts over and over
 * is not.
 *
 * @param timeoutMs when the watch ends
 */
export function watchStart(options: readonly UnitOption[], timeoutMs: number): Watch {
  const endsByItself = isOneshot(options)
  let wasActivating = false
  let inactiveSinceMs: number | undefined
  return {
    isUp: ({ unit, states }, elapsedMs) => {
      const state = states.find(({ machineId }) => machineId === unit?.machineId) ?? states[0]
      if (state === undefined || state.loadState !== 'loaded') return false
      switch (state.activeState) {
        case 'active':
        case 'reloading':
          return true
        case 'activating':
          if (state.subState === 'auto-restart') return false
          wasActivating = true
          inactiveSinceMs = undefined
          return elapsedMs >= timeoutMs
        case 'inactive':
          inactiveSinceMs ??= elapsedMs
          return endsByItself && (wasActivating || elapsedMs - inactiveSinceMs >= settledMs)
        default:
          inactiveSinceMs = undefined
          return false
      }
    },
  }
}

function isOneshot(options: readonly UnitOption[]): boolean {
  const type = options.findLast(({ section, name }) => section === 'Service' && name === 'Type')
  return type?.value === 'oneshot'
}
