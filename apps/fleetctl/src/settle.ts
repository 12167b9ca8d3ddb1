/** Waiting for units after the wish was sent, with the original's lines. Source: spec/fleet.md §10.3. */
import { exitCodes, isInterruption } from '@cluster/cli'
import type { UnitOption } from '@cluster/unit-file'
import type { FleetContext } from './context.ts'
import { failureOf } from './failure.ts'
import { hasReached, watchStart } from './launch.ts'
import { hint } from './log.ts'
import { type Machines, machineCell, machinesById } from './machine-cell.ts'
import type { Results } from './results.ts'
import { attemptMs, type Sighting, timeoutOf, waitForUnits } from './wait.ts'

export type SettlingUnit = {
  readonly name: string
  /** Content that the machine must have; see `hasReached`. */
  readonly sentHash?: string
}

export type StateReport = {
  /** Prints `Unit N STATE on MACHINE`. */
  readonly print: (name: string, sighting: Sighting, times?: number) => Promise<void>
}

/** Prints where units are; machines are asked for when one is needed that is not known yet (trap 57). */
export function createStateReport({ fleet, signal }: FleetContext, results: Results): StateReport {
  let machines: Machines = new Map()
  return {
    print: async (name, { unit }, times = 1) => {
      const { currentState = '', machineId } = unit ?? {}
      if (machineId !== undefined && !machines.has(machineId)) {
        // Without the list the line still says where: by the ID alone.
        const listed = await fleet.listMachines(signal).catch((error: unknown) => {
          if (isInterruption(error)) throw error
          return []
        })
        machines = machinesById(listed)
      }
      results.note(name, { currentState, machine: machineId ?? null })
      const place =
        machineId === undefined || currentState === 'inactive' ? '' : ` on ${machineCell(machineId, machines)}`
      for (let time = 0; time < times; time += 1) results.line(`Unit ${name} ${currentState}${place}`)
    },
  }
}

/**
 * Waits until fleet reports the state for all units and prints each. A unit that does not get there in time is told.
 *
 * @returns the error of the first unit that did not, in the original's words
 */
export async function settle(
  context: FleetContext,
  units: readonly SettlingUnit[],
  { state, attempts, report }: { readonly state: string; readonly attempts: number; readonly report: StateReport },
): Promise<string | undefined> {
  const hashes = new Map(units.map(({ name, sentHash }) => [name, sentHash]))
  const late = await waitForUnits(context, {
    names: units.map(({ name }) => name),
    forWhat: `to be ${state}`,
    isOver: (name, sighting) => hasReached(state, sighting, hashes.get(name)),
    onOver: (name, sighting) => report.print(name, sighting),
    ...timeoutOf(attempts),
  })
  const errors = late.map((name) => `timed out waiting for unit ${name} to report state ${state}`)
  for (const error of errors) context.io.stderr.write(`Error waiting for units: ${error}\n`)
  const [first] = late
  if (first !== undefined) hint(context, `"fleetctl why ${first}" tells what keeps it; what was asked for stays`)
  return errors[0]
}

/**
 * Waits until systemd has the launched units up; see `watchStart`.
 *
 * @returns the error of the first unit that is not, in the original's words
 */
export async function settleStart(
  context: FleetContext,
  units: readonly { readonly name: string; readonly options: readonly UnitOption[] }[],
  attempts: number,
): Promise<string | undefined> {
  const timeoutMs = Math.max(1, attempts) * attemptMs
  const watches = new Map(units.map(({ name, options }) => [name, watchStart(options, timeoutMs)]))
  const last = new Map<string, Sighting>()
  const down = await waitForUnits(context, {
    names: units.map(({ name }) => name),
    forWhat: 'to be active',
    isOver: (name, sighting, elapsedMs) => {
      last.set(name, sighting)
      return watches.get(name)?.isUp(sighting, elapsedMs) === true
    },
    timeoutMs,
  })
  const seconds = timeoutMs / 1000
  const errors = down.map(
    (name) =>
      `Failed to find an active unit ${name} within ${seconds}s, err: Failed to fetch states within ${seconds}s`,
  )
  for (const error of errors) context.io.stderr.write(`Error waiting for units: ${error}\n`)
  for (const name of down) hint(context, whatSystemdSays(name, last.get(name)))
  return errors[0]
}

function whatSystemdSays(name: string, sighting: Sighting | undefined): string {
  const state = sighting?.states[0]
  const said =
    state === undefined
      ? `no machine has published a state of ${name}`
      : `systemd says of ${name}: ${state.loadState}, ${state.activeState} (${state.subState})`
  return `${said}; see "fleetctl status ${name}" and "fleetctl journal ${name}"`
}

/**
 * Runs a wait; when the person interrupts it, says that what was asked for stays.
 *
 * @param intent what stays: `a.service stays launched`
 */
export async function interruptible(
  context: FleetContext,
  intent: string,
  wait: () => Promise<number>,
): Promise<number> {
  try {
    return await wait()
  } catch (error) {
    if (!isInterruption(error)) {
      const { message, more } = failureOf(error)
      const lines = [`Error waiting for units: ${message}`, ...more, `What was asked for stays: ${intent}.`]
      context.io.stderr.write(lines.map((line) => `${line}\n`).join(''))
      return exitCodes.failed
    }
    context.io.stderr.write(`Interrupted. What was asked for stays: ${intent}.\n`)
    return exitCodes.interrupted
  }
}
