/** The question of `fleetctl what-if`, from the words of a person, and as changes of the cluster. Pure. */
import { type FlagValues, nearestWords } from '@cluster/cli'
import { err, ok, type Result } from '@cluster/prelude'
import { type ClusterChange, loseMachines, type MachineSets, machineSets, type Planner } from '@cluster/scheduler'
import { type ClusterPicture, plannerUnit } from './cluster-picture.ts'
import type { LocalFile } from './local-files.ts'
import { findMachines } from './machine-argument.ts'
import { machineCell } from './machine-cell.ts'
import { counted } from './machine-reasons.ts'
import type { UnitArgument } from './names.ts'
import { planSubmission } from './submission.ts'
import { sourceOf, type UnitSource } from './unit-source.ts'

/** What can be asked about. */
export const subjects = ['drain', 'lose', 'add-machine', 'add', 'remove', 'edit'] as const

export type Question =
  | { readonly kind: 'drain' | 'lose'; readonly machines: readonly string[] }
  | { readonly kind: 'lose-sets'; readonly which: MachineSets }
  | { readonly kind: 'add-machine'; readonly count: number; readonly metadata: Readonly<Record<string, string>> }
  | { readonly kind: 'add' | 'remove' | 'edit'; readonly units: readonly string[] }

/** What is wrong with the words, and a command line that is right. */
export type WrongQuestion = { readonly message: string; readonly example: string }

/** The largest set that `--any` takes; the number of sets grows with this power of the number of machines. */
const anyMax = 3
const machinesMax = 10_000

/** The question that the words ask. */
export function parseQuestion(args: readonly string[], flags: FlagValues): Result<Question, WrongQuestion> {
  const [word, ...names] = args
  const subject = subjects.find((each) => each === word)
  if (word === undefined) return wrong(`Say what happens: ${subjects.join(', ')}`, 'lose 1a000000')
  if (subject === undefined) {
    const near = subjects.find((each) => nearestWords(word, [each]).length > 0) ?? 'lose'
    return wrong(`${word} is none of ${subjects.join(', ')}`, exampleOf[near])
  }
  const stray = strayFlag(subject, flags)
  if (stray !== undefined) return wrong(`--${stray} does not go with ${subject}`, exampleOf[subject])
  switch (subject) {
    case 'add-machine':
      return parseAddMachine(names, flags)
    case 'lose':
      return flags.given('any') || flags.given('by') ? parseSets(names, flags) : someOf(subject, names, 'machines')
    case 'drain':
      return someOf(subject, names, 'machines')
    case 'add':
    case 'remove':
    case 'edit':
      if (names.length === 0) return wrong(`Name units to ${subject}`, exampleOf[subject])
      return ok({ kind: subject, units: names })
    default:
      return subject satisfies never
  }
}

const exampleOf: Readonly<Record<(typeof subjects)[number], string>> = {
  drain: 'drain 1a000000',
  lose: 'lose --any 2',
  'add-machine': 'add-machine --metadata disk=ssd',
  add: 'add units/web.service',
  remove: 'remove web.service',
  edit: 'edit units/web.service',
}

const wrong = (message: string, example: string): Result<never, WrongQuestion> => err({ message, example })

function someOf(kind: 'drain' | 'lose', machines: readonly string[], what: string): Result<Question, WrongQuestion> {
  return machines.length === 0 ? wrong(`Name ${what} to ${kind}`, exampleOf[kind]) : ok({ kind, machines })
}

const ownFlags: Readonly<Record<string, (typeof subjects)[number]>> = {
  any: 'lose',
  by: 'lose',
  metadata: 'add-machine',
  count: 'add-machine',
}

const strayFlag = (subject: string, flags: FlagValues): string | undefined =>
  Object.keys(ownFlags).find((name) => flags.given(name) && ownFlags[name] !== subject)

function parseSets(names: readonly string[], flags: FlagValues): Result<Question, WrongQuestion> {
  if (names.length > 0) return wrong('Name machines, or give --any or --by, not both', exampleOf.lose)
  if (flags.given('any') && flags.given('by')) return wrong('Give one of --any and --by', exampleOf.lose)
  if (flags.given('any')) {
    const count = flags.number('any')
    if (count < 1 || count > anyMax) return wrong(`--any takes 1 to ${anyMax} machines, not ${count}`, exampleOf.lose)
    return ok({ kind: 'lose-sets', which: { kind: 'any', count } })
  }
  const by = flags.text('by')
  const [key = '', ...values] = by.split('=')
  if (key === '') return wrong('--by takes a key of metadata, such as zone, or zone=eu-1a', 'lose --by zone')
  const value = values.join('=')
  return ok({ kind: 'lose-sets', which: { kind: 'metadata', key, ...(values.length === 0 ? {} : { value }) } })
}

function parseAddMachine(names: readonly string[], flags: FlagValues): Result<Question, WrongQuestion> {
  const { 'add-machine': example } = exampleOf
  if (names.length > 0) return wrong(`A new machine has no ID yet: leave ${names.join(' ')} out`, example)
  const count = flags.given('count') ? flags.number('count') : 1
  if (count < 1 || count > machinesMax) return wrong(`--count takes 1 to ${machinesMax}, not ${count}`, example)
  const metadata: [string, string][] = []
  for (const pair of flags.text('metadata').split(',')) {
    const at = pair.indexOf('=')
    if (pair === '') continue
    if (at < 1) return wrong(`--metadata takes KEY=VALUE, not ${pair}`, example)
    metadata.push([pair.slice(0, at), pair.slice(at + 1)])
  }
  return ok({ kind: 'add-machine', count, metadata: Object.fromEntries(metadata) })
}

/** One set of changes, or many sets of machines to lose. */
export type Plan =
  | {
      readonly kind: 'changes'
      /** The question as a sentence: `What if 1a000000... is lost?` */
      readonly title: string
      readonly changes: readonly ClusterChange[]
      /** Texts of the units that come in or are changed. */
      readonly sources: ReadonlyMap<string, UnitSource>
      /** Machines that go on with what fits nowhere else. */
      readonly drained?: readonly string[]
      /** What is to be said of the files, one line each. */
      readonly remarks: readonly string[]
    }
  | {
      readonly kind: 'sets'
      readonly title: string
      readonly sets: ReturnType<typeof machineSets>
      /** What a set is called; absent where its machines say it. */
      readonly nameOf?: (machines: readonly string[]) => string
    }

/** Sets beyond this are not counted out: it would take days. */
const setsMax = 10_000_000

/**
 * The question as changes of this cluster, or the lines that say why there are none.
 *
 * @param units the arguments of `add` and `edit` with their files in `local`
 */
export function planQuestion(
  question: Question,
  planner: Planner,
  picture: ClusterPicture,
  units: readonly UnitArgument[],
  local: ReadonlyMap<string, LocalFile>,
): Result<Plan, readonly string[]> {
  const { machines } = picture
  const cells = (ids: readonly string[]): string => ids.map((id) => machineCell(id, machines)).join(', ')
  switch (question.kind) {
    case 'drain':
    case 'lose': {
      const found = findMachines(question.machines, machines)
      if (!found.ok) return err([`Cannot tell: ${found.error}`])
      const ids = found.value.map(({ id }) => id)
      const isLost = question.kind === 'lose'
      const title = `What if ${cells(ids)} ${ids.length === 1 ? 'is' : 'are'} ${isLost ? 'lost' : 'drained'}?`
      // The engine plans as if a drained machine were gone; what fits nowhere else stays on it.
      return ok({ ...changesOf(title, loseMachines(ids)), ...(isLost ? {} : { drained: ids }) })
    }
    case 'lose-sets':
      return planSets(question.which, planner, picture)
    case 'add-machine': {
      const ids = newIds(question.count, machines)
      const { metadata } = question
      const words = Object.entries(metadata).map(([key, value]) => `${key}=${value}`)
      const kind = words.length === 0 ? '' : ` with ${words.join(' ')}`
      const changes = ids.map((id): ClusterChange => ({ kind: 'put-machine', machine: { id, metadata } }))
      return ok(changesOf(`What if there were ${counted(ids.length, 'more machine')}${kind}?`, changes))
    }
    case 'remove': {
      const names = units.map(({ name }) => name)
      const missing = names.filter((name) => !picture.units.has(name))
      if (missing.length > 0) return err(missing.map((name) => noSuchUnit(name, picture)))
      const changes = names.map((unit): ClusterChange => ({ kind: 'remove-unit', unit }))
      return ok(changesOf(`What if ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} removed?`, changes))
    }
    case 'add':
    case 'edit':
      return planUnits(question.kind, planner, picture, units, local)
    default:
      return question satisfies never
  }
}

const changesOf = (title: string, changes: readonly ClusterChange[]): Extract<Plan, { kind: 'changes' }> => ({
  kind: 'changes',
  title,
  changes,
  sources: new Map(),
  remarks: [],
})

function noSuchUnit(name: string, { units }: Pick<ClusterPicture, 'units'>): string {
  const near = nearestWords(name, [...units.keys()]).slice(0, 3)
  return `Unit ${name} is not in the cluster.${near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`}`
}

function planSets(which: MachineSets, planner: Planner, { machines }: ClusterPicture): Result<Plan, readonly string[]> {
  const all = planner.machines()
  const sets = machineSets(all, which)
  if (which.kind === 'any') {
    if (sets.total === 0) return err([`There are no ${which.count} machines: ${counted(all.length, 'machine')} up.`])
    if (sets.total > setsMax) {
      return err([
        `${which.count} of ${all.length} machines are ${sets.total} sets, more than ${setsMax}.`,
        'Take --any 1 or --any 2, or --by a key of metadata.',
      ])
    }
    return ok({
      kind: 'sets',
      title: `What if any ${which.count} of ${counted(all.length, 'machine')} ${which.count === 1 ? 'is' : 'are'} lost?`,
      sets,
    })
  }
  const { key, value } = which
  const wanted = value === undefined ? key : `${key}=${value}`
  if (sets.total === 0) {
    const known = [
      ...new Set(all.flatMap(({ metadata }) => (value === undefined ? Object.keys(metadata) : (metadata[key] ?? [])))),
    ]
    const remedy = known.length === 0 ? 'No machine has any.' : `There is ${known.sort().slice(0, 10).join(', ')}.`
    return err([`No machine has metadata ${wanted}.`, remedy])
  }
  const nameOf = ([first = '']: readonly string[]): string => `${key}=${machines.get(first)?.metadata[key] ?? ''}`
  const title =
    value === undefined ? `What if all machines of one ${key} are lost?` : `What if all of ${wanted} are lost?`
  return ok({ kind: 'sets', title, sets, nameOf })
}

function newIds(count: number, machines: ReadonlyMap<string, unknown>): readonly string[] {
  const ids: string[] = []
  for (let number = 1; ids.length < count; number++) {
    const id = `new-machine-${String(number).padStart(String(count).length, '0')}`
    if (!machines.has(id)) ids.push(id)
  }
  return ids
}

function planUnits(
  kind: 'add' | 'edit',
  planner: Planner,
  picture: ClusterPicture,
  units: readonly UnitArgument[],
  local: ReadonlyMap<string, LocalFile>,
): Result<Plan, readonly string[]> {
  const isEdit = kind === 'edit'
  for (const { name } of units) {
    if (isEdit && !picture.units.has(name)) return err([noSuchUnit(name, picture), `See "fleetctl what-if add".`])
    if (!isEdit && picture.units.has(name)) {
      return err([`Unit ${name} is in the cluster already.`, `See "fleetctl what-if edit".`])
    }
  }
  const input = { verb: isEdit ? ('submit' as const) : ('start' as const), replace: isEdit, units, local }
  const remote = isEdit ? asInactive(picture.units) : picture.units
  const { outcome, notices } = planSubmission({ ...input, remote })
  if (!outcome.ok) {
    const { message, more, hint } = outcome.error
    return err([message, ...more, ...(hint === undefined ? [] : [hint])])
  }
  const sources = new Map<string, UnitSource>()
  const changes: ClusterChange[] = []
  for (const step of outcome.value) {
    const argument = units.find(({ name }) => name === (step.kind === 'keep' ? step.unit.name : step.unit))
    if (step.kind === 'keep' || argument === undefined) continue
    const { unit: name, options } = step
    sources.set(name, sourceOf({ name, options }, argument, local))
    const { targetState = 'launched', currentState: _, ...held } = picture.units.get(name) ?? {}
    const machineId = planner.placeOf(name)
    const unit = plannerUnit({ ...held, name, options, targetState, ...(machineId === undefined ? {} : { machineId }) })
    changes.push({ kind: 'put-unit', unit })
  }
  const names = units.map(({ name }) => name).join(', ')
  const verb = isEdit ? 'edited' : 'added and started'
  const title = `What if ${names} ${units.length === 1 ? 'is' : 'are'} ${verb}?`
  return ok({ kind: 'changes', title, changes, sources, remarks: notices.map(({ text }) => text) })
}

/** For a question nothing is in the way of a replacement. */
const asInactive = (units: ClusterPicture['units']): ClusterPicture['units'] =>
  new Map([...units].map(([name, unit]) => [name, { ...unit, targetState: 'inactive' }]))
