/** `fleetctl destroy`: units out of the cluster. Waits until no machine has them, unless told not to (trap 24). */
import { outputForm } from '@cluster/cli'
import type { FleetContext, RunCommand } from '../context.ts'
import { failureOf, printFailure } from '../failure.ts'
import { findUnitsToDestroy } from '../lookup.ts'
import { unitNames } from '../names.ts'
import { collectResults } from '../results.ts'
import { interruptible } from '../settle.ts'
import { attemptMs, waitForUnits } from '../wait.ts'

/** A machine that has died keeps its last states published for a while; that is no reason to hang for ever. */
const attemptsByDefault = 10

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, signal } = context
  if (args.length === 0) {
    io.stderr.write('No units given\n')
    return 0
  }
  const names = unitNames(args)
  let known: Awaited<ReturnType<typeof findUnitsToDestroy>>
  try {
    known = await findUnitsToDestroy(fleet, names, signal)
  } catch (error) {
    return printFailure(context, '', error)
  }
  if (known.size === 0) {
    io.stderr.write('Units not found in registry\n')
    return 0
  }
  const results = collectResults(io, outputForm(flags.text('output')))
  const destroyed: string[] = []
  let exitCode = 0
  try {
    for (const name of names) {
      const unit = known.get(name)
      if (unit === undefined) {
        results.note(name, { action: 'not-found' })
        continue
      }
      try {
        await fleet.deleteUnit(name, signal)
        destroyed.push(name)
        results.line(`Destroyed ${name}`)
        results.note(name, {
          action: 'destroyed',
          machine: (unit === 'unreadable' ? undefined : unit.machineId) ?? null,
        })
      } catch (error) {
        const { message, more } = failureOf(error)
        io.stderr.write([`Error destroying units: ${message}`, ...more].map((line) => `${line}\n`).join(''))
        results.note(name, { action: 'failed' })
        exitCode = 1
      }
    }
    if (flags.boolean('no-block')) return exitCode
    return Math.max(exitCode, await waitUntilGone(context, destroyed, flags.number('block-attempts')))
  } finally {
    results.end()
  }
}

async function waitUntilGone(context: FleetContext, names: readonly string[], attempts: number): Promise<number> {
  return await interruptible(context, `${names.join(' ')} is destroyed; its machine stops it`, async () => {
    const left = await waitForUnits(context, {
      names,
      forWhat: 'to be gone',
      isOver: (_, { unit, states }) => unit === undefined && states.length === 0,
      timeoutMs: (attempts <= 0 ? attemptsByDefault : attempts) * attemptMs,
    })
    // Destroyed they are; so this is news, not a failure.
    for (const name of left) context.io.stderr.write(`${name} is destroyed, but a machine still reports it\n`)
    return 0
  })
}
