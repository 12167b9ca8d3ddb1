/** What a command did to each unit: lines as it happens, or one JSON list at the end. */
import { type Io, type OutputForm, printJson } from '@cluster/cli'

/** What was done with a unit, so far. The keys are API. */
export type UnitResult = {
  readonly unit: string
  readonly action: 'created' | 'replaced' | 'changed' | 'unchanged' | 'restarted' | 'destroyed' | 'not-found' | 'failed'
  /** What was asked for; `null` for a destroyed unit. */
  readonly targetState: string | null
  /** The last state seen; `null` when it was not looked at. */
  readonly currentState: string | null
  /** ID of the machine that has it. */
  readonly machine: string | null
}

export type Results = {
  /** A line of the original's output; kept back when the answer is JSON. */
  readonly line: (text: string) => void
  readonly note: (unit: string, change: Partial<Omit<UnitResult, 'unit'>>) => void
  /** Prints the list when the answer is JSON. Call it once, also after a failure: it tells what was done. */
  readonly end: () => void
}

export function collectResults(io: Io, form: OutputForm): Results {
  const byUnit = new Map<string, UnitResult>()
  return {
    line: (text) => {
      if (form !== 'json') io.stdout.write(`${text}\n`)
    },
    note: (unit, change) => {
      const before = byUnit.get(unit) ?? {
        unit,
        action: 'unchanged',
        targetState: null,
        currentState: null,
        machine: null,
      }
      byUnit.set(unit, { ...before, ...change })
    },
    end: () => {
      if (form === 'json') printJson(io, [...byUnit.values()])
    },
  }
}
