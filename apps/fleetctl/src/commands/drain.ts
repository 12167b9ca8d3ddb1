/** `fleetctl drain`: tells what would move, asks, and has machines left. Ours. */
import { exitCodes, outputForm, paintFor, printJson } from '@cluster/cli'
import { createPlanner, defaultPolicy, loseMachines } from '@cluster/scheduler'
import { type ClusterPicture, readPicture } from '../cluster-picture.ts'
import type { FleetContext, RunCommand } from '../context.ts'
import { unsupported } from '../cordons.ts'
import { type DrainState, waitForDrain } from '../drain-wait.ts'
import { printFailure } from '../failure.ts'
import { findMachines } from '../machine-argument.ts'
import { machineCell } from '../machine-cell.ts'
import { counted } from '../machine-reasons.ts'
import { interruptible } from '../settle.ts'
import { type Consequences, consequencesOf } from '../what-if-answer.ts'
import { consequencesJson, plainConsequences, renderConsequences } from '../what-if-report.ts'

type Options = {
  readonly form: ReturnType<typeof outputForm>
  readonly all: boolean
  readonly full: boolean
  /** Absent: for ever. */
  readonly timeoutMs: number | undefined
}

type Drain = {
  readonly context: FleetContext
  readonly picture: ClusterPicture
  /** IDs, as they were named. */
  readonly ids: readonly string[]
  /** The machines as a person is shown them. */
  readonly named: string
  readonly expected: Consequences
  readonly options: Options
}

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, signal } = context
  if (args.length === 0) {
    io.stderr.write('Name one machine or more\nExample: fleetctl drain 1a000000\n')
    return exitCodes.usage
  }
  const seconds = flags.number('timeout')
  if (!(seconds >= 0)) {
    io.stderr.write('--timeout is a number of seconds, 0 for no limit\n')
    return exitCodes.usage
  }
  const options: Options = {
    form: outputForm(flags.text('output')),
    all: flags.boolean('all'),
    full: flags.boolean('full'),
    timeoutMs: seconds === 0 ? undefined : seconds * 1000,
  }
  let drain: Drain
  try {
    const [picture, cordons] = await Promise.all([readPicture(fleet, signal), fleet.listCordons(signal)])
    if (cordons === 'unsupported') return unsupported(context, 'drain')
    const found = findMachines(args, picture.machines)
    if (!found.ok) {
      io.stderr.write(`Nothing done: ${found.error}\n`)
      return exitCodes.failed
    }
    const ids = found.value.map(({ id }) => id)
    const named = ids.map((id) => machineCell(id, picture.machines, { full: options.full })).join(', ')
    drain = { context, picture, ids, named, expected: foresee(picture, ids), options }
  } catch (error) {
    return printFailure(context, 'Error reading the cluster: ', error)
  }
  if (options.form === 'table') io.stdout.write(`Draining ${drain.named}\n\n${foretold(drain)}\n`)
  if (!flags.boolean('yes') && !(await agrees(drain))) return exitCodes.failed
  return await carryOut(drain)
}

/** What the engine does when the machines count as gone; what fits nowhere else stays. */
function foresee(picture: ClusterPicture, ids: readonly string[]): Consequences {
  const planner = createPlanner(picture.state, defaultPolicy)
  const changes = loseMachines(ids)
  return consequencesOf(planner, changes, planner.attempt(changes), picture, { drained: ids })
}

const foretold = ({ context: { io, settings }, picture, expected, options }: Drain): string =>
  renderConsequences(expected, {
    machines: picture.machines,
    paint: paintFor(io.stdout, io.env, { noColor: settings.boolean('no-color') }),
    all: options.all,
    full: options.full,
    width: io.stdout.isTerminal ? (io.stdout.columns ?? 80) : undefined,
    isDrain: true,
  })

async function agrees({ context: { io, ask }, named, expected }: Drain): Promise<boolean> {
  if (!io.stderr.isTerminal) {
    io.stderr.write('Nothing done: without a terminal nobody can be asked\nSay --yes if you mean it\n')
    return false
  }
  const stays = expected.unplaced.length
  const rest = stays === 0 ? '' : `, ${counted(stays, 'unit')} cannot`
  const moves = `${counted(expected.moves.length, 'unit')} ${expected.moves.length === 1 ? 'moves' : 'move'}`
  let answer: string
  try {
    answer = await ask(`Drain ${named}? ${moves}${rest} [y/N] `)
  } catch (error) {
    io.stderr.write('\nNothing done\n')
    throw error
  }
  if (/^y(es)?$/i.test(answer.trim())) return true
  io.stderr.write('Nothing done\n')
  return false
}

async function carryOut(drain: Drain): Promise<number> {
  const { context, picture, ids, named, options } = drain
  const { fleet, signal } = context
  const machines = new Set(ids)
  const before = new Set(
    [...picture.units.values()].filter((unit) => machines.has(unit.machineId ?? '')).map(({ name }) => name),
  )
  const marked: string[] = []
  try {
    for (const id of ids) {
      await fleet.cordon({ machineId: id, drain: true }, signal)
      marked.push(id)
    }
  } catch (error) {
    const done = marked.length === 0 ? 'nothing was done' : `only ${marked.join(', ')} is being drained`
    return printFailure(context, `Error, ${done}: `, error)
  }
  const intent = `${named} gets no more units, and those that it has move; "fleetctl uncordon ${ids.join(' ')}" ends that`
  return await interruptible(context, intent, async () =>
    report(drain, await waitForDrain(context, { machines, before }, options.timeoutMs)),
  )
}

/** Whether the machines are empty is the exit code: a script may go on and switch them off. */
function report(drain: Drain, { isOver, ...state }: DrainState & { readonly isOver: boolean }): number {
  const { context, ids, named, options } = drain
  const { io } = context
  const moved = movedBy(drain, state)
  if (options.form === 'json') printJson(io, drainJson(drain, moved, { isOver, ...state }))
  else if (options.form === 'plain')
    io.stdout.write(plainConsequences({ ...drain.expected, moves: moved, unplaced: [] }))
  else io.stdout.write(`${counted(moved.length, 'unit')} moved off ${named}.\n`)
  if (!isOver) {
    const still = [...state.leaving, ...state.stopping]
    io.stderr.write(
      `Still on ${named} after ${(options.timeoutMs ?? 0) / 1000} s: ${shown(still, options)}\n` +
        'The drain goes on; "fleetctl drain" again waits again\n',
    )
  }
  if (state.staying.length > 0) {
    io.stderr.write(
      `${state.staying.length === 1 ? 'One unit fits' : `${state.staying.length} units fit`} nowhere else and ` +
        `${state.staying.length === 1 ? 'stays' : 'stay'}: ${shown(state.staying, options)}\n` +
        `"fleetctl why UNIT" tells the reason; "fleetctl uncordon ${ids.join(' ')}" ends the drain\n`,
    )
  }
  return isOver && state.staying.length === 0 ? exitCodes.done : exitCodes.failed
}

const namedMax = 10
const shown = (units: readonly string[], { all }: Options): string => {
  const some = all ? units : units.slice(0, namedMax)
  return `${some.join(', ')}${units.length > some.length ? ` and ${units.length - some.length} more` : ''}`
}

/** Units that were on the machines before and are elsewhere now. */
function movedBy({ picture, ids }: Drain, state: DrainState): Consequences['moves'] {
  return [...picture.units.values()].flatMap(({ name, machineId: from }) => {
    const to = state.picture.units.get(name)?.machineId
    const hasLeft = from !== undefined && ids.includes(from) && to !== undefined && !ids.includes(to)
    return hasLeft ? [{ unit: name, from, to }] : []
  })
}

/** Keys are API. */
const drainJson = (
  { picture, ids, expected }: Drain,
  moved: Consequences['moves'],
  { isOver, leaving, staying, stopping }: DrainState & { readonly isOver: boolean },
): unknown => ({
  machines: ids,
  isOver,
  isEmpty: isOver && staying.length === 0,
  moved,
  leaving,
  stopping,
  staying,
  expected: consequencesJson(expected, picture.machines),
})
