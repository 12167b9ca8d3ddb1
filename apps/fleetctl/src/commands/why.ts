/** `fleetctl why`: for each machine the rule that decided, and what systemd says where the unit is. Ours. */
import { exitCodes, outputForm, paintFor, printJson, renderTable } from '@cluster/cli'
import type { FleetMachine, FleetUnitState, UnitExplanation } from '@cluster/fleet-api'
import type { FleetContext, RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { machineCell, machinesById } from '../machine-cell.ts'
import { unitNames } from '../names.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, signal } = context
  const [name, ...others] = args.length === 1 ? unitNames(args) : []
  if (name === undefined || others.length > 0) {
    io.stderr.write('Name one unit\nExample: fleetctl why hello.service\n')
    return exitCodes.usage
  }
  try {
    const explanation = await explain(context, name)
    if (explanation === undefined) {
      io.stderr.write(`Unit ${name} does not exist.\nSee "fleetctl list-unit-files".\n`)
      return exitCodes.failed
    }
    const [machines, states] = await Promise.all([fleet.listMachines(signal), fleet.listStates({ unit: name }, signal)])
    if (outputForm(flags.text('output')) === 'json') printJson(io, jsonOf(explanation, machines, states))
    else print(context, explanation, machines, states, { full: flags.boolean('full'), form: flags.text('output') })
    return exitCodes.done
  } catch (error) {
    return printFailure(context, `Error explaining unit ${name}: `, error)
  }
}

async function explain({ fleet, signal }: FleetContext, name: string): Promise<UnitExplanation | undefined> {
  const said = await fleet.why(name, signal)
  if (said === 'no-such-unit') return undefined
  if (said !== 'unsupported') return said
  const [units, machines] = await Promise.all([fleet.listUnits(signal), fleet.listMachines(signal)])
  const { explainHere } = await import('../explain-here.ts')
  return explainHere(name, units, machines)
}

function print(
  { io, settings }: FleetContext,
  explanation: UnitExplanation,
  listed: readonly FleetMachine[],
  states: readonly FleetUnitState[],
  { full, form }: { readonly full: boolean; readonly form: string },
): void {
  const machines = machinesById(listed)
  const paint = paintFor(io.stdout, io.env, { noColor: settings.boolean('no-color') })
  const rows = explanation.machines.map(({ machineId, fits, rule, text }) => [
    machineCell(machineId, machines, { full }),
    fits ? 'yes' : 'no',
    rule,
    fits && machineId === explanation.machineId ? 'the unit is here' : text,
  ])
  if (form === 'plain') {
    io.stdout.write(rows.map((row) => `${row.join('\t')}\n`).join(''))
    return
  }
  const [head = explanation.unit, ...reasons] = explanation.lines
  io.stdout.write(`${paint.bold(head)}\n`)
  // What the table says of machines is not said twice.
  const isOfMachine = (line: string): boolean =>
    explanation.machines.some(({ machineId }) => line.startsWith(`${machineId}: `))
  for (const reason of reasons) if (!isOfMachine(reason)) io.stdout.write(`${reason}\n`)
  for (const state of states) {
    const line = `${machineCell(state.machineId, machines, { full })}: systemd says ${systemdWords(state)}`
    io.stdout.write(`${isTrouble(state) ? paint.bad(line) : line}\n`)
  }
  if (rows.length > 0) io.stdout.write(`\n${renderTable([['MACHINE', 'FITS', 'RULE', 'WHY'], ...rows])}`)
}

const systemdWords = ({ loadState, activeState, subState }: FleetUnitState): string =>
  loadState === 'loaded'
    ? `${activeState} (${subState})`
    : `${activeState} (${subState}); it could not load the unit: ${loadState}`

const isTrouble = ({ loadState, activeState }: FleetUnitState): boolean =>
  loadState !== 'loaded' || activeState === 'failed'

function jsonOf(
  { unit, situation, lines, machineId, machines: verdicts }: UnitExplanation,
  listed: readonly FleetMachine[],
  states: readonly FleetUnitState[],
): unknown {
  const machines = machinesById(listed)
  return {
    unit,
    situation,
    lines,
    machine: machineId ?? null,
    machines: verdicts.map((verdict) => ({
      machine: verdict.machineId,
      ip: machines.get(verdict.machineId)?.primaryIp || null,
      fits: verdict.fits,
      rule: verdict.rule,
      text: verdict.text,
    })),
    states: states.map((state) => ({
      machine: state.machineId,
      load: state.loadState,
      active: state.activeState,
      sub: state.subState,
    })),
  }
}
