/** A unit for planning from the text of its file. */
import { type FleetDialect, hashOptions, readAsFleet, readFleetRequirements } from '@cluster/unit-file'
import { SchedulerError } from './errors.ts'
import type { TargetState, Unit } from './model.ts'

/** What a text does not say of its unit. */
export type UnitFromTextOptions = {
  /** Default `launched`. */
  readonly targetState?: TargetState
  /** The machine it is on already. */
  readonly machine?: string
  /** How the text is read; default exactly as fleet 1.0 does. */
  readonly dialect?: FleetDialect
}

/**
 * The unit of that name and text, with its requirements and hash as fleet reads them.
 *
 * @throws SchedulerError scheduler/unreadable-unit; `readAsFleet` of @cluster/unit-file answers without throwing
 */
export function unitFromText(name: string, text: string | Uint8Array, options: UnitFromTextOptions = {}): Unit {
  const { targetState = 'launched', machine, dialect } = options
  const read = readAsFleet(text, dialect)
  if (!read.ok) {
    throw new SchedulerError('scheduler/unreadable-unit', `${name}:${read.error.line}: ${read.error.message}`, {
      hint: `correct line ${read.error.line} of ${name}; fleet refuses a unit whose text it cannot read`,
    })
  }
  return {
    name,
    targetState,
    hash: hashOptions(read.value),
    requirements: readFleetRequirements(name, read.value),
    ...(machine === undefined ? {} : { machine }),
  }
}
