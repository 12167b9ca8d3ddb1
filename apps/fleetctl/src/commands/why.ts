/** `fleetctl why`: for each machine the rule that decided, the line of the unit file, and what would help. Ours. */
import { exitCodes, nearestWords, outputForm, paintFor, printJson } from '@cluster/cli'
import type { FleetUnitState } from '@cluster/fleet-api'
import { type ClusterPicture, readPicture } from '../cluster-picture.ts'
import type { FleetContext, RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import type { LocalFile } from '../local-files.ts'
import { findMachine } from '../machine-argument.ts'
import { machineCell } from '../machine-cell.ts'
import { counted, groupReasons, type MachineReason, renderReasons } from '../machine-reasons.ts'
import { type UnitArgument, unitArguments } from '../names.ts'
import { pathsToRead, planSubmission } from '../submission.ts'
import { fileLineText, sourceOf } from '../unit-source.ts'
import { answerFor, answerForFile, type KnownRemedy, linesBeside, type WhyAnswer } from '../why-answer.ts'
import { wrapped } from '../wrap.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, files, signal } = context
  const [unit, ...others] = args.length === 1 ? unitArguments(args) : []
  if (unit === undefined || others.length > 0) {
    io.stderr.write('Name one unit\nExample: fleetctl why hello.service\n')
    return exitCodes.usage
  }
  try {
    const { name } = unit
    const [said, picture, states, local] = await Promise.all([
      fleet.why(name, signal),
      readPicture(fleet, signal),
      fleet.listStates({ unit: name }, signal),
      Promise.all(pathsToRead([unit]).map(async (path) => [path, await files.read(path)] as const)),
    ])
    const answer = answered(context, unit, said, picture, states, new Map(local))
    if (answer === undefined) return exitCodes.failed
    const asked = flags.text('machine')
    const machine = asked === '' ? undefined : findMachine(asked, picture.machines)
    if (machine?.ok === false) {
      io.stderr.write(`Cannot tell of that machine: ${machine.error}\n`)
      return exitCodes.failed
    }
    const id = machine?.value.id
    const shown =
      id === undefined
        ? answer
        : { ...answer, lines: linesBeside(answer), reasons: answer.reasons.filter((each) => each.machineId === id) }
    const form = outputForm(flags.text('output'))
    if (form === 'json') printJson(io, jsonOf(shown, picture))
    else if (form === 'plain') printPlain(context, shown, picture, flags.boolean('full'))
    else print(context, shown, picture, { full: flags.boolean('full'), all: flags.boolean('all') })
    return exitCodes.done
  } catch (error) {
    return printFailure(context, `Error explaining unit ${unit.name}: `, error)
  }
}

/** The answer, or `undefined` after it has been said that there is none. */
function answered(
  { io }: FleetContext,
  argument: UnitArgument,
  said: Awaited<ReturnType<FleetContext['fleet']['why']>>,
  picture: ClusterPicture,
  states: readonly FleetUnitState[],
  local: ReadonlyMap<string, LocalFile>,
): WhyAnswer | undefined {
  const { name } = argument
  const unit = picture.units.get(name)
  if (unit !== undefined && said !== 'no-such-unit') {
    return answerFor(said, unit, picture, states, sourceOf(unit, argument, local))
  }
  const input = { verb: 'start' as const, replace: false, units: [argument], remote: picture.units, local }
  const { outcome } = planSubmission(input)
  const [step] = outcome.ok ? outcome.value : []
  if (step !== undefined && step.kind !== 'keep') {
    const source = sourceOf({ name, options: step.options }, argument, local)
    return answerForFile(name, step.options, picture, source)
  }
  const isAnyFile = [...local.values()].some(({ kind }) => kind !== 'absent')
  if (!outcome.ok && isAnyFile) {
    const { message, more, hint } = outcome.error
    io.stderr.write([message, ...more, ...(hint === undefined ? [] : [hint])].map((line) => `${line}\n`).join(''))
    return undefined
  }
  const near = nearestWords(name, [...picture.units.keys()]).slice(0, 5)
  const meant = near.length === 0 ? '' : `Did you mean ${near.join(', ')}?\n`
  io.stderr.write(`Unit ${name} does not exist, and there is no such file.\n${meant}See "fleetctl list-unit-files".\n`)
  return undefined
}

function print(
  { io, settings }: FleetContext,
  answer: WhyAnswer,
  { machines }: ClusterPicture,
  { full, all }: { readonly full: boolean; readonly all: boolean },
): void {
  const { stdout } = io
  const { reasons, states, machineId, remedies } = answer
  const paint = paintFor(stdout, io.env, { noColor: settings.boolean('no-color') })
  const width = stdout.isTerminal ? (stdout.columns ?? 80) : undefined
  const cell = (id: string): string => machineCell(id, machines, { full })
  const [head = '', ...more] = linesBeside(answer)
  stdout.write(`${paint.bold(wrapped(head, { width, hanging: '  ' }).trimEnd())}\n`)
  for (const line of more) stdout.write(wrapped(line, { width, hanging: '  ' }))
  for (const state of states) {
    const line = wrapped(`${cell(state.machineId)}: systemd says ${systemdWords(state)}`, { width, hanging: '  ' })
    stdout.write(isTrouble(state) ? `${paint.bad(line.trimEnd())}\n` : line)
  }
  const isHere = ({ machineId: id, fits }: MachineReason): boolean => fits && id === machineId
  const elsewhere = reasons.filter((reason) => !isHere(reason))
  if (elsewhere.length > 0) stdout.write('\n')
  stdout.write(renderReasons(groupReasons(elsewhere), { cell, all, width }))
  if (remedies === undefined) return
  stdout.write(
    `\n${paint.bold(remedies.length === 0 ? 'No single change would help.' : 'What would help, each tried:')}\n`,
  )
  const shown = all ? remedies : firstOfEachKind(remedies)
  for (const [index, remedy] of shown.entries()) {
    const number = `  ${index + 1}. `
    stdout.write(wrapped(remedyText(remedy), { width, indent: number, hanging: ' '.repeat(number.length) }))
  }
  const left = remedies.length - shown.length
  if (left > 0) stdout.write(`  and ${left} more of these kinds (--all names them)\n`)
}

/** So many remedies of a kind are told: a thousand machines can be relabelled in a thousand ways. */
const ofOneKindMax = 2

const firstOfEachKind = (remedies: readonly KnownRemedy[]): readonly KnownRemedy[] =>
  remedies.filter(
    ({ kind }, index) => remedies.slice(0, index).filter((other) => other.kind === kind).length < ofOneKindMax,
  )

function remedyText({ text, moves, unplaced }: KnownRemedy): string {
  const price = [
    ...(moves === 0 ? [] : [`${counted(moves, 'other unit')} ${moves === 1 ? 'moves' : 'move'}`]),
    ...(unplaced.length === 0
      ? []
      : [`then without a place: ${unplaced.slice(0, 3).join(', ')}${etc(unplaced.length - 3)}`]),
  ]
  return price.length === 0 ? text : `${text} (${price.join('; ')})`
}

const etc = (left: number): string => (left > 0 ? ` and ${left} more` : '')

function printPlain({ io }: FleetContext, { reasons }: WhyAnswer, { machines }: ClusterPicture, full: boolean): void {
  for (const { machineId, fits, rule, text, line } of reasons) {
    const place = line === undefined ? '-' : fileLineText(line)
    const cells = [machineCell(machineId, machines, { full }), fits ? 'yes' : 'no', rule, text, place]
    io.stdout.write(`${cells.join('\t')}\n`)
  }
}

const systemdWords = ({ loadState, activeState, subState }: FleetUnitState): string =>
  loadState === 'loaded'
    ? `${activeState} (${subState})`
    : `${activeState} (${subState}); it could not load the unit: ${loadState}`

const isTrouble = ({ loadState, activeState }: FleetUnitState): boolean =>
  loadState !== 'loaded' || activeState === 'failed'

const jsonOf = (
  { unit, isSubmitted, situation, lines, machineId, reasons, states, remedies }: WhyAnswer,
  { machines }: ClusterPicture,
): unknown => ({
  unit,
  isSubmitted,
  situation,
  lines,
  machine: machineId ?? null,
  machines: reasons.map((reason) => ({
    machine: reason.machineId,
    ip: machines.get(reason.machineId)?.primaryIp || null,
    fits: reason.fits,
    rule: reason.rule,
    text: reason.text,
    place: reason.line ?? null,
  })),
  remedies: remedies ?? null,
  states: states.map((state) => ({
    machine: state.machineId,
    load: state.loadState,
    active: state.activeState,
    sub: state.subState,
  })),
})
