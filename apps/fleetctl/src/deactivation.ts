/**
 * What stop and unload have in common. They act on what is wanted of a unit, not on what has become of it, and go on
 * with the others when one cannot be told (trap 23). Source: spec/fleet.md §10.3.
 */
import { type Invocation, outputForm } from '@cluster/cli'
import type { FleetUnit, TargetState } from '@cluster/fleet-api'
import type { FleetContext } from './context.ts'
import { failureOf, printFailure } from './failure.ts'
import { hasReached } from './launch.ts'
import { findUnits } from './lookup.ts'
import { expandPatterns, unitNames } from './names.ts'
import { collectResults, type Results } from './results.ts'
import { createStateReport, interruptible } from './settle.ts'
import { isGlobal } from './submission.ts'
import { type Sighting, timeoutOf, waitForUnits } from './wait.ts'

export type Deactivation = {
  readonly verb: 'stop' | 'unload'
  /** The same in the past tense. */
  readonly past: string
  readonly targetState: Extract<TargetState, 'inactive' | 'loaded'>
}

export async function runDeactivation(
  context: FleetContext,
  { args, flags }: Invocation,
  kind: Deactivation,
): Promise<number> {
  const { io, fleet, files, signal } = context
  if (args.length === 0) {
    io.stderr.write('No units given\n')
    return 0
  }
  const names = unitNames(await expandPatterns(args, files))
  let known: ReadonlyMap<string, FleetUnit>
  try {
    known = await findUnits(fleet, names, signal)
  } catch (error) {
    return printFailure(context, '', error)
  }
  if (known.size === 0) {
    io.stderr.write('Units not found in registry\n')
    return 0
  }
  const results = collectResults(io, outputForm(flags.text('output')))
  for (const name of names) if (!known.has(name)) results.note(name, { action: 'not-found' })
  try {
    const units = names.flatMap((name) => known.get(name) ?? [])
    const { changed, exitCode } = await tell(context, units, kind, results)
    if (changed.length === 0 && exitCode !== 0) return exitCode
    const waitCode = await waitOrTrigger(context, { args, flags }, kind, changed, results)
    return Math.max(exitCode, waitCode)
  } finally {
    results.end()
  }
}

type Told = { readonly changed: readonly string[]; readonly exitCode: number }

async function tell(
  { io, fleet, signal }: FleetContext,
  units: readonly FleetUnit[],
  { verb, targetState }: Deactivation,
  results: Results,
): Promise<Told> {
  const changed: string[] = []
  let exitCode = 0
  for (const unit of units) {
    const { name } = unit
    const wanted = unit.targetState ?? 'inactive'
    const global = isGlobal(name, unit.options)
    const isThere = wanted === targetState || wanted === 'inactive'
    results.note(name, {
      targetState: isThere ? wanted : targetState,
      currentState: unit.currentState ?? null,
      machine: unit.machineId ?? null,
    })
    if (!global && verb === 'stop' && wanted === 'inactive') {
      io.stderr.write(`Unable to stop unit ${name} in state inactive\n`)
      results.note(name, { action: 'failed' })
      exitCode = 1
      continue
    }
    try {
      if (!isThere) await fleet.putUnit(name, { targetState }, signal)
    } catch (error) {
      const { message, more } = failureOf(error)
      io.stderr.write([`Unable to ${verb} unit ${name}: ${message}`, ...more].map((line) => `${line}\n`).join(''))
      results.note(name, { action: 'failed', targetState: wanted })
      exitCode = 1
      continue
    }
    if (global) results.line(`Triggered global unit ${name} ${verb}`)
    if (isThere) continue
    results.note(name, { action: 'changed' })
    if (!global) changed.push(name)
  }
  return { changed, exitCode }
}

async function waitOrTrigger(
  context: FleetContext,
  { flags }: Invocation,
  { verb, past, targetState }: Deactivation,
  names: readonly string[],
  results: Results,
): Promise<number> {
  const { io } = context
  const list = `[${names.join(' ')}]`
  if (flags.boolean('no-block')) {
    for (const name of names) results.line(`Triggered unit ${name} ${verb}`)
    io.stderr.write(`Successfully ${past} units ${list}.\n`)
    return 0
  }
  const intent = `${names.join(' ')} is to be ${targetState}; fleet goes on with it`
  return await interruptible(context, intent, async () => {
    const report = createStateReport(context, results)
    const late = await waitForUnits(context, {
      names,
      forWhat: `to be ${past}`,
      isOver: (_, sighting) => isDeactivated(targetState, sighting),
      onOver: (name, sighting) => report.print(name, sighting),
      ...timeoutOf(flags.number('block-attempts')),
    })
    const errors = late.map((name) => `timed out waiting for unit ${name} to report state ${targetState}`)
    for (const error of errors) io.stderr.write(`Error waiting for units: ${error}\n`)
    if (errors[0] === undefined) {
      io.stderr.write(`Successfully ${past} units ${list}.\n`)
      return 0
    }
    io.stderr.write(`Failed to ${verb} units ${list}. err: ${errors[0]}\n`)
    return 1
  })
}

/** A unit that no machine has is stopped, too: it can never be loaded where none qualifies. */
function isDeactivated(targetState: string, sighting: Sighting): boolean {
  if (hasReached(targetState, sighting)) return true
  const { unit } = sighting
  // Destroyed by somebody else meanwhile.
  if (unit === undefined) return true
  return targetState === 'loaded' && unit.currentState === 'inactive' && unit.machineId === undefined
}
