/** `fleetctl what-if`: where changes would lead, planned here on what the API tells once. Ours; changes nothing. */
import { exitCodes, type OutputForm, outputForm, paintFor, printJson, renderTable, startProgress } from '@cluster/cli'
import {
  createPlanner,
  defaultPolicy,
  type Planner,
  type SetOutcome,
  type SetsProgress,
  whatIfLost,
} from '@cluster/scheduler'
import { type ClusterPicture, readPicture } from '../cluster-picture.ts'
import type { FleetContext, RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { hint, log } from '../log.ts'
import { machineCell } from '../machine-cell.ts'
import { counted } from '../machine-reasons.ts'
import { expandPatterns, unitArguments } from '../names.ts'
import { runSliced } from '../sliced.ts'
import { pathsToRead } from '../submission.ts'
import { type Consequences, consequencesOf, consequencesOfLoss } from '../what-if-answer.ts'
import { type Plan, parseQuestion, planQuestion, type Question } from '../what-if-question.ts'
import { consequencesJson, plainConsequences, renderConsequences } from '../what-if-report.ts'

type Asking = {
  readonly context: FleetContext
  readonly planner: Planner
  readonly picture: ClusterPicture
  readonly question: Question
  readonly options: {
    readonly form: OutputForm
    readonly all: boolean
    readonly full: boolean
    /** Whether a unit without a place is a failure. */
    readonly failOnUnplaced: boolean
  }
}

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, files, signal } = context
  const asked = parseQuestion(args, flags)
  if (!asked.ok) {
    io.stderr.write(`${asked.error.message}\nExample: fleetctl what-if ${asked.error.example}\n`)
    return exitCodes.usage
  }
  const question = asked.value
  try {
    const hasUnits = question.kind === 'add' || question.kind === 'edit' || question.kind === 'remove'
    const names = hasUnits ? question.units : []
    const units = unitArguments(question.kind === 'remove' ? names : await expandPatterns(names, files))
    const paths = question.kind === 'remove' ? [] : [...new Set(pathsToRead(units))]
    const [picture, local] = await Promise.all([
      readPicture(fleet, signal),
      Promise.all(paths.map(async (path) => [path, await files.read(path)] as const)),
    ])
    const planner = createPlanner(picture.state, defaultPolicy)
    const plan = planQuestion(question, planner, picture, units, new Map(local))
    if (!plan.ok) {
      io.stderr.write(plan.error.map((line) => `${line}\n`).join(''))
      return exitCodes.failed
    }
    const options = {
      form: outputForm(flags.text('output')),
      all: flags.boolean('all'),
      full: flags.boolean('full'),
      failOnUnplaced: flags.boolean('fail-on-unplaced'),
    }
    const asking = { context, planner, picture, question, options }
    return plan.value.kind === 'changes' ? answerChanges(asking, plan.value) : await answerSets(asking, plan.value)
  } catch (error) {
    return printFailure(context, 'Error reading the cluster: ', error)
  }
}

function answerChanges(asking: Asking, plan: Extract<Plan, { kind: 'changes' }>): number {
  const { context, planner, picture, question, options } = asking
  const { io } = context
  for (const remark of plan.remarks) log(context, 'WARN', remark)
  const attempt = planner.attempt(plan.changes)
  const consequences = consequencesOf(planner, plan.changes, attempt, picture, plan)
  if (options.form === 'json') {
    const facts = consequencesJson(consequences, picture.machines)
    printJson(io, { question: questionJson(question, plan.title), consequences: facts })
  } else if (options.form === 'plain') io.stdout.write(plainConsequences(consequences))
  else io.stdout.write(`${plan.title}\n\n${rendered(asking, consequences)}`)
  return options.failOnUnplaced && attempt.newlyUnplaced.length > 0 ? exitCodes.failed : exitCodes.done
}

const rendered = ({ context, picture, question, options }: Asking, consequences: Consequences): string => {
  const { io, settings } = context
  return renderConsequences(consequences, {
    machines: picture.machines,
    paint: paintFor(io.stdout, io.env, { noColor: settings.boolean('no-color') }),
    all: options.all,
    full: options.full,
    width: io.stdout.isTerminal ? (io.stdout.columns ?? 80) : undefined,
    isDrain: question.kind === 'drain',
  })
}

type Sets = Extract<Plan, { kind: 'sets' }>

async function answerSets(asking: Asking, plan: Sets): Promise<number> {
  const { context, planner, picture, options } = asking
  const { io, clock, signal } = context
  const progress = startProgress(io, clock)
  const each: SetOutcome[] = []
  const { last, isComplete } = await runSliced(stepsOf(planner, plan, each), {
    clock,
    signal,
    onSlice: (so) => progress.show(progressText(so)),
  })
  progress.clear()
  if (last === undefined) return exitCodes.done
  const { worst } = last
  const consequences = worst && consequencesOfLoss(planner, worst, picture)
  if (options.form === 'json') printJson(io, setsJson(asking, plan, { last, isComplete, each, consequences }))
  else if (options.form === 'plain') io.stdout.write(plainSets(each, worst))
  else io.stdout.write(setsText(asking, plan, { last, isComplete, each, consequences }))
  if (!isComplete) {
    io.stderr.write(`Interrupted after ${last.done} of ${last.total} sets: this is the worst so far.\n`)
    return exitCodes.interrupted
  }
  if (!options.failOnUnplaced || last.failing === 0) return exitCodes.done
  hint(context, '--fail-on-unplaced: some set leaves a unit without a place')
  return exitCodes.failed
}

/** Sets with names are few; of these each outcome is kept. */
function* stepsOf(
  planner: Planner,
  { sets, nameOf }: Sets,
  each: SetOutcome[],
): Generator<SetsProgress, void, undefined> {
  if (nameOf === undefined) return yield* whatIfLost(planner, sets)
  const spied: Pick<Planner, 'attempt'> = {
    attempt(changes) {
      const outcome = planner.attempt(changes)
      const machines = changes.flatMap((change) => (change.kind === 'remove-machine' ? [change.machine] : []))
      each.push({ machines, outcome })
      return outcome
    },
  }
  yield* whatIfLost(spied, sets)
}

const progressText = ({ done, total, failing, worst }: SetsProgress): string => {
  const unplaced = worst?.outcome.newlyUnplaced.length ?? 0
  const so =
    failing === 0
      ? 'all units keep a place'
      : `${failing} ${failing === 1 ? 'leaves' : 'leave'} units without a place, at worst ${unplaced}`
  return `${done} of ${total} sets, so far ${so}`
}

type SetsAnswer = {
  readonly last: SetsProgress
  readonly isComplete: boolean
  readonly each: readonly SetOutcome[]
  readonly consequences: Consequences | undefined
}

function setsText(asking: Asking, plan: Sets, { last, isComplete, each, consequences }: SetsAnswer): string {
  const { picture, options } = asking
  const { failing, worst, done, total } = last
  const count = isComplete ? counted(total, 'set') : `${done} of ${counted(total, 'set')} looked at`
  const verdict =
    failing === 0
      ? 'every unit keeps a place in each'
      : `${failing} of them ${failing === 1 ? 'leaves' : 'leave'} units without a place`
  const nameOf = plan.nameOf
  const table = nameOf === undefined || each.length < 2 ? '' : `\n${setsTable(each, nameOf, options.all)}`
  const head = `${plan.title}\n${total === 1 ? '' : `\n${count}: ${verdict}.\n${table}`}`
  if (worst === undefined || consequences === undefined) return head
  const cells = worst.machines.map((id) => machineCell(id, picture.machines, { full: options.full }))
  const name =
    nameOf === undefined ? cells.join(', ') : `${nameOf(worst.machines)} (${counted(cells.length, 'machine')})`
  const title = total === 1 ? '' : `\n${isComplete ? 'The worst' : 'The worst so far'}: ${name}\n`
  return `${head}${title}\n${rendered(asking, consequences)}`
}

/** So many sets are shown, the worst first. */
const shownMax = 20

function setsTable(each: readonly SetOutcome[], nameOf: (machines: readonly string[]) => string, all: boolean): string {
  const sorted = [...each].sort(
    ({ outcome: one }, { outcome: other }) =>
      other.newlyUnplaced.length - one.newlyUnplaced.length || other.moves.length - one.moves.length,
  )
  const shown = all ? sorted : sorted.slice(0, shownMax)
  const rows = shown.map(({ machines, outcome }) => [
    `  ${nameOf(machines)}`,
    String(machines.length),
    String(outcome.moves.length),
    String(outcome.newlyUnplaced.length),
  ])
  const left = sorted.length - shown.length
  const more = left > 0 ? `  and ${left} more (--all names them)\n` : ''
  return renderTable([['  SET', 'MACHINES', 'MOVES', 'WITHOUT A PLACE'], ...rows]) + more
}

const plainSets = (each: readonly SetOutcome[], worst: SetOutcome | undefined): string =>
  (each.length > 0 ? each : worst === undefined ? [] : [worst])
    .map(({ machines, outcome }) =>
      ['set', machines.join(','), outcome.moves.length, outcome.newlyUnplaced.length].join('\t'),
    )
    .map((line) => `${line}\n`)
    .join('')

function setsJson(
  { picture, question }: Asking,
  { title, nameOf }: Sets,
  { last, isComplete, each, consequences }: SetsAnswer,
): unknown {
  const { done, total, failing, worst } = last
  const setJson = ({ machines, outcome }: SetOutcome) => ({
    name: nameOf?.(machines) ?? null,
    machines,
    moves: outcome.moves.length,
    unplaced: outcome.newlyUnplaced.length,
  })
  return {
    question: questionJson(question, title),
    sets: { total, done, failing, isComplete },
    each: nameOf === undefined ? null : each.map(setJson),
    worst: worst === undefined ? null : setJson(worst),
    consequences: consequences === undefined ? null : consequencesJson(consequences, picture.machines),
  }
}

const questionJson = (question: Question, text: string): unknown => ({ kind: question.kind, text })
