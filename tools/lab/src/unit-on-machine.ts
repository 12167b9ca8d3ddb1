/** What systemd itself says of a unit on the machines of a lab: nothing of ours is asked. */
import type { Lab } from './lab.ts'
import { until } from './until.ts'

export type UnitOnMachine = {
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly mainPid: number
  /** Changes with each start. */
  readonly invocationId: string
  /** When it last became active, in monotonic milliseconds; 0 for never. */
  readonly activeSinceMs: number
  readonly restarts: number
}

const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'MainPID',
  'InvocationID',
  'ActiveEnterTimestampMonotonic',
  'NRestarts',
]

/** One unit on one machine, as `systemctl show` has it. */
export async function unitOn(lab: Lab, machine: string, unit: string): Promise<UnitOnMachine> {
  const text = await lab.run(machine, ['systemctl', 'show', `--property=${properties.join(',')}`, '--', unit])
  const values = new Map(
    text.split('\n').map((line) => {
      const [name = '', ...rest] = line.split('=')
      return [name, rest.join('=')]
    }),
  )
  const number = (name: string): number => Number(values.get(name) || 0)
  return {
    loadState: values.get('LoadState') ?? '',
    activeState: values.get('ActiveState') ?? '',
    subState: values.get('SubState') ?? '',
    mainPid: number('MainPID'),
    invocationId: values.get('InvocationID') ?? '',
    activeSinceMs: number('ActiveEnterTimestampMonotonic') / 1000,
    restarts: number('NRestarts'),
  }
}

/** The machines, of those that can be asked, on which the unit is active now. */
export async function activeOn(lab: Lab, unit: string): Promise<readonly string[]> {
  const { machines } = await lab.status()
  const askable = machines.filter(({ condition }) => condition === 'up' || condition === 'cut off')
  const found = await Promise.all(
    askable.map(async ({ name }) => ((await unitOn(lab, name, unit)).activeState === 'active' ? [name] : [])),
  )
  return found.flat()
}

/**
 * Resolves with the one machine that runs the unit, as soon as there is exactly one among those wanted.
 *
 * @throws LabError `lab/timeout`
 */
export async function runningPlace(
  lab: Lab,
  unit: string,
  {
    timeoutMs = 15_000,
    not,
    signal,
  }: { readonly timeoutMs?: number; readonly not?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const places = await until(() => activeOn(lab, unit), {
    what: `${unit} active on one machine${not === undefined ? '' : ` other than ${not}`}`,
    timeoutMs,
    everyMs: 100,
    is: (machines) => machines.length === 1 && machines[0] !== not,
    signal,
  })
  return places[0] ?? ''
}

/** Milliseconds from a moment to the unit's becoming active on a machine, by the system's one monotonic clock. */
export const activeAfterMs = async (lab: Lab, machine: string, unit: string, sinceMs: number): Promise<number> =>
  (await unitOn(lab, machine, unit)).activeSinceMs - sinceMs
