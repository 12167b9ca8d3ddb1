/**
 * When does a timer elapse next? Pure arithmetic over monotonic milliseconds of this boot; the rules are those of
 * systemd.timer(5) for monotonic triggers.
 */

/** What a trigger counts from: `On…Sec=`. */
export type TimerBase = 'active' | 'boot' | 'startup' | 'unit-active' | 'unit-inactive'

export type TimerTrigger = { readonly base: TimerBase; readonly afterMs: number }

export type TimerRules = {
  readonly triggers: readonly TimerTrigger[]
  readonly remainAfterElapse: boolean
  readonly randomizedDelayMs: number
}

/** Times at which the bases last began; absent: never. The machine booted at 0. */
export type TimerMoments = {
  readonly activeMs: number
  readonly startupMs: number
  readonly lastTriggerMs: number | undefined
  readonly unitActiveMs: number | undefined
  readonly unitInactiveMs: number | undefined
}

/** The time of the earliest trigger that has one; undefined when none will come. It may have passed already. */
export function nextElapse({ triggers }: Pick<TimerRules, 'triggers'>, moments: TimerMoments): number | undefined {
  let next: number | undefined
  for (const trigger of triggers) {
    const at = elapseOf(trigger, moments)
    if (at !== undefined && (next === undefined || at < next)) next = at
  }
  return next
}

function elapseOf({ base, afterMs }: TimerTrigger, moments: TimerMoments): number | undefined {
  const { lastTriggerMs } = moments
  switch (base) {
    case 'active':
      return once(moments.activeMs + afterMs, lastTriggerMs)
    case 'boot':
      return once(afterMs, lastTriggerMs)
    case 'startup':
      return once(moments.startupMs + afterMs, lastTriggerMs)
    case 'unit-active': {
      // a unit that ends at once may never have been seen active: the trigger itself counts too
      const from = latest(moments.unitActiveMs, lastTriggerMs)
      return from === undefined ? undefined : from + afterMs
    }
    case 'unit-inactive': {
      const from = latest(moments.unitInactiveMs, lastTriggerMs)
      return from === undefined ? undefined : from + afterMs
    }
    default:
      return base satisfies never
  }
}

/** These come once in the life of the timer. */
const once = (at: number, lastTriggerMs: number | undefined): number | undefined =>
  lastTriggerMs !== undefined && at <= lastTriggerMs ? undefined : at

const latest = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.max(one, other)
