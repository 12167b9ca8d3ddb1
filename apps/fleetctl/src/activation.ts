/** What load and start have in common: submit, set the wish, wait. Source: spec/fleet.md §10.3. */
import { type Invocation, outputForm } from '@cluster/cli'
import type { TargetState } from '@cluster/fleet-api'
import type { FleetContext } from './context.ts'
import { collectResults } from './results.ts'
import { createStateReport, interruptible, settle } from './settle.ts'
import { type SubmittedUnit, submitUnits } from './submit-units.ts'

export type Activation = {
  readonly verb: 'load' | 'start'
  readonly targetState: TargetState
  readonly errorPrefix: string
  /** What is waited for beyond fleet's own state. */
  readonly afterwards?: (units: readonly SubmittedUnit[], attempts: number) => Promise<number>
  /** How often `Triggered unit …` is said with `--no-block`. */
  readonly triggeredLines?: number
}

export async function runActivation(
  context: FleetContext,
  { args, flags }: Invocation,
  { verb, targetState, errorPrefix, afterwards, triggeredLines = 1 }: Activation,
): Promise<number> {
  const { io } = context
  if (args.length === 0) {
    io.stderr.write('No units given\n')
    return 0
  }
  const results = collectResults(io, outputForm(flags.text('output')))
  try {
    const submitted = await submitUnits(context, {
      verb,
      args,
      replace: flags.boolean('replace'),
      targetState,
      targetErrorPrefix: errorPrefix,
      results,
    })
    if (!submitted.ok) return submitted.error
    for (const { name, isGlobal, isRetargeted } of submitted.value) {
      if (isGlobal && isRetargeted) results.line(`Triggered global unit ${name} ${verb}`)
    }
    // Units that were wanted so already are not waited for, whatever has become of them (trap 21), unless told to.
    const units = submitted.value.filter(
      ({ isGlobal, isRetargeted }) => !isGlobal && (isRetargeted || flags.boolean('wait')),
    )
    if (flags.boolean('no-block')) {
      for (let time = 0; time < triggeredLines; time += 1) {
        for (const { name } of units) results.line(`Triggered unit ${name} ${verb}`)
      }
      return 0
    }
    const attempts = flags.number('block-attempts')
    const intent = `${units.map(({ name }) => name).join(' ')} is to be ${targetState}; fleet goes on with it`
    return await interruptible(context, intent, async () => {
      const report = createStateReport(context, results)
      const error = await settle(context, units, { state: targetState, attempts, report })
      if (error !== undefined) {
        io.stderr.write(`Error waiting for unit states, exit status: ${error}\n`)
        return 1
      }
      return afterwards === undefined ? 0 : await afterwards(units, attempts)
    })
  } finally {
    results.end()
  }
}
