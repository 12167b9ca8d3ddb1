/**
 * `fleetctl restart`: units stopped and started again, one after another; new ones are created, but not started.
 * The original asks twice within a quarter of a second and nothing restarts (trap 25); here the stop is waited for.
 */
import { outputForm } from '@cluster/cli'
import type { FleetContext, RunCommand } from '../context.ts'
import { failureOf } from '../failure.ts'
import { hasReached, hasStopped } from '../launch.ts'
import { log } from '../log.ts'
import { collectResults, type Results } from '../results.ts'
import { createStateReport, interruptible, settleStart } from '../settle.ts'
import { type SubmittedUnit, submitUnits } from '../submit-units.ts'
import { type Sighting, timeoutOf, waitForUnits } from '../wait.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io } = context
  if (args.length === 0) {
    io.stderr.write('No units given\n')
    return 0
  }
  const results = collectResults(io, outputForm(flags.text('output')))
  try {
    const submitted = await submitUnits(context, {
      verb: 'restart',
      args,
      replace: false,
      targetState: 'inactive',
      targetErrorPrefix: 'Error creating units: ',
      results,
    })
    if (!submitted.ok) return submitted.error
    for (const [index, unit] of submitted.value.entries()) {
      const exitCode = await restartUnit(context, unit, flags.number('block-attempts'), results)
      if (exitCode === 0) continue
      const left = submitted.value.slice(index + 1).map(({ name }) => name)
      if (left.length > 0) io.stderr.write(`Not restarted: ${left.join(' ')}.\n`)
      return exitCode
    }
    return 0
  } finally {
    results.end()
  }
}

async function restartUnit(
  context: FleetContext,
  unit: SubmittedUnit,
  attempts: number,
  results: Results,
): Promise<number> {
  const { name, before, isGlobal } = unit
  // Machines restart a global unit each for itself; fleet has no word for all of them at once.
  if (before === undefined || isGlobal) return 0
  switch (before.currentState) {
    case 'launched':
      return await restartLaunched(context, unit, attempts, results)
    case 'loaded':
      log(context, 'INFO', `Unit(${name}) already loaded, starting.`)
      return await launch(context, unit, { attempts, results, times: 1 })
    default:
      context.io.stderr.write(`Unable to restart unit ${name} in state inactive\n`)
      return 0
  }
}

async function restartLaunched(
  context: FleetContext,
  unit: SubmittedUnit,
  attempts: number,
  results: Results,
): Promise<number> {
  const { name } = unit
  const stopCode = await interruptible(
    context,
    `${name} is to be loaded; "fleetctl start ${name}" starts it`,
    async () => {
      await context.fleet.putUnit(name, { targetState: 'loaded' }, context.signal)
      const running = await waitForUnits(context, {
        names: [name],
        forWhat: 'to stop',
        isOver: (_, sighting) => hasStopped(sighting),
        ...timeoutOf(attempts),
      })
      if (running.length === 0) return 0
      context.io.stderr.write(
        `Error waiting for units: timed out waiting for unit ${name} to stop\n` +
          `It is told to stop and was not started again; "fleetctl start ${name}" does.\n`,
      )
      return 1
    },
  )
  if (stopCode !== 0) return stopCode
  // Scripts count on one line for each of the original's two waits.
  const startCode = await launch(context, unit, { attempts, results, times: 2 })
  if (startCode === 0) log(context, 'INFO', `Unit(${name}) was restarted.`)
  return startCode
}

async function launch(
  context: FleetContext,
  unit: SubmittedUnit,
  { attempts, results, times }: { readonly attempts: number; readonly results: Results; readonly times: number },
): Promise<number> {
  const { fleet, io, signal } = context
  const { name } = unit
  return await interruptible(context, `${name} is to be launched; fleet goes on with it`, async () => {
    try {
      await fleet.putUnit(name, { targetState: 'launched' }, signal)
    } catch (error) {
      const { message, more } = failureOf(error)
      const lines = [`Error restarting units: ${message}`, ...more, `"fleetctl start ${name}" starts it.`]
      io.stderr.write(lines.map((line) => `${line}\n`).join(''))
      return 1
    }
    results.note(name, { action: 'restarted', targetState: 'launched' })
    const report = createStateReport(context, results)
    const late = await waitForUnits(context, {
      names: [name],
      forWhat: 'to be launched',
      isOver: (_, sighting: Sighting) => hasReached('launched', sighting),
      onOver: (_, sighting) => report.print(name, sighting, times),
      ...timeoutOf(attempts),
    })
    if (late.length > 0) {
      const error = `timed out waiting for unit ${name} to report state launched`
      io.stderr.write(`Error waiting for units: ${error}\nError waiting for unit states, exit status: ${error}\n`)
      return 1
    }
    const error = await settleStart(context, [unit], attempts)
    if (error === undefined) return 0
    io.stderr.write(`Error waiting for systemd unit states, err: ${error}\n`)
    return 1
  })
}
