/** The step that submit, load, start and restart have in common: units from names and files into the cluster. */
import { exitCodes, isInterruption } from '@cluster/cli'
import type { FleetUnit, TargetState } from '@cluster/fleet-api'
import { ok, type Result } from '@cluster/prelude'
import { checkUnitRequirements, creationPolicyFor, hashOptions, type UnitOption } from '@cluster/unit-file'
import type { FleetContext } from './context.ts'
import { failureOf } from './failure.ts'
import { hint, log } from './log.ts'
import { findUnits } from './lookup.ts'
import { expandPatterns, unitArguments } from './names.ts'
import type { Results } from './results.ts'
import {
  isGlobal,
  pathsToRead,
  planSubmission,
  type Submission,
  type SubmissionStep,
  type SubmittingVerb,
  templatesNeeded,
} from './submission.ts'

/** A unit that is in the cluster now. */
export type SubmittedUnit = {
  readonly name: string
  readonly options: readonly UnitOption[]
  readonly isGlobal: boolean
  /** The content that was sent just now; absent when it was there already. */
  readonly sentHash?: string
  /** Whether what is wanted of it was changed just now. */
  readonly isRetargeted: boolean
  /** As it was before; absent for a new one. */
  readonly before?: FleetUnit
}

export type SubmitOptions = {
  readonly verb: SubmittingVerb
  readonly args: readonly string[]
  readonly replace: boolean
  /** What is wanted of the units; sent together with the content of new ones. */
  readonly targetState: TargetState
  /** The words ahead of an error when only the wish was refused: `Error starting units: `. */
  readonly targetErrorPrefix: string
  readonly results: Results
}

/**
 * Brings the units into the cluster with the wish of the command, in the order given.
 *
 * @returns the units, or the exit code after everything has been said
 */
export async function submitUnits(
  context: FleetContext,
  options: SubmitOptions,
): Promise<Result<readonly SubmittedUnit[], number>> {
  const { io } = context
  const planned = await observe(context, options)
  if (!planned.ok) {
    io.stderr.write(planned.error.map((line) => `${line}\n`).join(''))
    return { ok: false, error: 1 }
  }
  const { notices, outcome } = planned.value
  for (const { kind, text } of notices) {
    if (kind === 'log') log(context, 'WARN', text)
    else if (kind === 'stderr') io.stderr.write(`${text}\n`)
    else options.results.line(text)
  }
  if (!outcome.ok) {
    const { message, more, hint: remedy } = outcome.error
    io.stderr.write([`Error creating units: ${message}`, ...more].map((line) => `${line}\n`).join(''))
    if (remedy !== undefined) hint(context, remedy)
    return { ok: false, error: 1 }
  }
  return await send(context, options, outcome.value)
}

/** Looks at cluster and disk, then decides. An error: the lines to print. */
async function observe(
  context: FleetContext,
  { verb, args, replace }: SubmitOptions,
): Promise<Result<Submission, readonly string[]>> {
  const { fleet, files, signal } = context
  const units = unitArguments(await expandPatterns(args, files))
  const paths = [...new Set(pathsToRead(units))]
  const texts = await Promise.all(paths.map(async (path) => [path, await files.read(path)] as const))
  const local = new Map(texts)
  const names = units.map(({ name }) => name)
  try {
    const remote = new Map(await findUnits(fleet, names, signal))
    const templates = templatesNeeded({ units, remote, local, replace }).filter((name) => !remote.has(name))
    for (const [name, unit] of await findUnits(fleet, templates, signal)) remote.set(name, unit)
    return ok(planSubmission({ verb, replace, units, remote, local }))
  } catch (error) {
    const { message, more } = failureOf(error)
    const which = names.length === 1 ? `Unit(${names[0]})` : `Units(${names.join(' ')})`
    return { ok: false, error: [`Error creating units: error retrieving ${which} from Registry: ${message}`, ...more] }
  }
}

async function send(
  context: FleetContext,
  { targetState, targetErrorPrefix, results, verb }: SubmitOptions,
  steps: readonly SubmissionStep[],
): Promise<Result<readonly SubmittedUnit[], number>> {
  const { fleet, io, signal } = context
  const submitted: SubmittedUnit[] = []
  const changed: string[] = []
  for (const [index, step] of steps.entries()) {
    const name = step.kind === 'keep' ? step.unit.name : step.unit
    try {
      if (step.kind === 'keep') {
        submitted.push(await keep(context, step.unit, verb, targetState, results))
        if (submitted.at(-1)?.isRetargeted === true) changed.push(name)
        continue
      }
      const { options, isGlobal: global } = step
      const { warnings } = await fleet.putUnit(
        name,
        // Only without a target state does the daemon refuse a "replacement" by the same content.
        targetState === 'inactive' ? { options } : { options, targetState },
        signal,
      )
      // The daemon checks what this program has checked, with the same words; only what is new is worth a line.
      const known = checkUnitRequirements(name, options, creationPolicyFor(name)).map(
        ({ message, remedy }) => `${message}: ${remedy}`,
      )
      for (const warning of warnings) if (!known.includes(warning)) log(context, 'WARN', `Unit ${name}: ${warning}`)
      changed.push(name)
      results.note(name, {
        action: step.kind === 'create' ? 'created' : 'replaced',
        targetState,
        currentState: 'inactive',
      })
      submitted.push({
        name,
        options,
        isGlobal: global,
        sentHash: hashOptions(options),
        isRetargeted: targetState !== 'inactive',
      })
    } catch (error) {
      const left = steps.slice(index + 1).map((other) => (other.kind === 'keep' ? other.unit.name : other.unit))
      if (isInterruption(error)) {
        const lines = [`Interrupted while ${name} was sent; it may have arrived.`, ...whatWasDone(changed, left)]
        io.stderr.write(lines.map((line) => `${line}\n`).join(''))
        return { ok: false, error: exitCodes.interrupted }
      }
      const { message, more } = failureOf(error)
      const prefix = step.kind === 'keep' ? targetErrorPrefix : `Error creating units: failed creating unit ${name}: `
      const lines = [`${prefix}${message}`, ...more, ...whatWasDone(changed, left)]
      io.stderr.write(lines.map((line) => `${line}\n`).join(''))
      return { ok: false, error: 1 }
    }
  }
  // As the original, which looks at all units after the last was created.
  for (const { name, isGlobal: global, sentHash } of submitted) {
    if (sentHash !== undefined) results.line(`Unit ${name} ${global ? '' : 'inactive'}`)
  }
  return ok(submitted)
}

/** A unit that stays as it is, but for what is wanted of it. */
async function keep(
  { fleet, signal }: FleetContext,
  unit: FleetUnit,
  verb: SubmittingVerb,
  targetState: TargetState,
  results: Results,
): Promise<SubmittedUnit> {
  const { name, options } = unit
  const isRetargeted = (verb === 'load' || verb === 'start') && unit.targetState !== targetState
  if (isRetargeted) await fleet.putUnit(name, { targetState }, signal)
  results.note(name, {
    action: isRetargeted ? 'changed' : 'unchanged',
    targetState: isRetargeted ? targetState : (unit.targetState ?? null),
    currentState: unit.currentState ?? null,
    machine: unit.machineId ?? null,
  })
  return { name, options, isGlobal: isGlobal(name, options), isRetargeted, before: unit }
}

/** Nothing to say when it was the only unit. */
function whatWasDone(changed: readonly string[], left: readonly string[]): readonly string[] {
  if (changed.length === 0 && left.length === 0) return []
  const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(' '))
  return [`Done before that: ${list(changed)}; not done: ${list(left)}.`]
}
