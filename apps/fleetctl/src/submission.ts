/**
 * What has to be sent so that the named units are in the cluster: names × units in the cluster × files here → steps.
 * All of the original's "look, then look again" rules in one place. Source: spec/fleet.md §10.2.
 */
import type { FleetUnit, TargetState } from '@cluster/fleet-api'
import { err, ok, type Result } from '@cluster/prelude'
import { findMachineOfCycles } from '@cluster/scheduler'
import {
  checkFleetUnitName,
  checkUnitRequirements,
  creationPolicyFor,
  hashOptions,
  parseFleetName,
  readRequirements,
  type UnitOption,
  unrecognizedFleetKeyMessage,
  unrecognizedFleetKeys,
} from '@cluster/unit-file'
import type { LocalFile } from './local-files.ts'
import { besides, type UnitArgument } from './names.ts'
import { type BadUnitText, readUnitText, type UnitText } from './unit-text.ts'

/** The commands that bring units into the cluster. */
export type SubmittingVerb = 'submit' | 'load' | 'start' | 'restart'

export type SubmissionInput = {
  readonly verb: SubmittingVerb
  /** Whether a unit whose file differs is replaced. */
  readonly replace: boolean
  readonly units: readonly UnitArgument[]
  /** Units in the cluster by name: the named ones, and the templates of {@link templatesNeeded}. */
  readonly remote: ReadonlyMap<string, FleetUnit>
  /** Files by path: see {@link pathsToRead}. */
  readonly local: ReadonlyMap<string, LocalFile>
}

export type SubmissionStep =
  /** Not in the cluster, or to be replaced there. */
  | {
      readonly kind: 'create' | 'replace'
      readonly unit: string
      readonly options: readonly UnitOption[]
      readonly isGlobal: boolean
    }
  /** In the cluster already; its content stays. */
  | { readonly kind: 'keep'; readonly unit: FleetUnit }

/** A line for the person. `log`: in the form of the original's log. */
export type Notice = { readonly kind: 'stdout' | 'stderr' | 'log'; readonly text: string }

export type Refusal = {
  /** One line, what and where. */
  readonly message: string
  /** Further lines, what to do. */
  readonly more: readonly string[]
  /** What to do, where a script may compare stderr with the original's. */
  readonly hint?: string
}

export type Submission = {
  /** In the order of the arguments; those up to a refusal, if there is one. */
  readonly notices: readonly Notice[]
  /** All steps, or why nothing is to be sent at all. */
  readonly outcome: Result<readonly SubmissionStep[], Refusal>
}

/** Which target states a command may replace a unit in. */
const replaceable: Readonly<Record<SubmittingVerb, readonly TargetState[]>> = {
  submit: ['inactive'],
  load: ['inactive', 'loaded'],
  start: ['inactive', 'loaded', 'launched'],
  restart: [],
}

/** The files that a submission of these units may look at. */
export const pathsToRead = (units: readonly UnitArgument[]): readonly string[] =>
  units.flatMap(({ path, name }) => {
    const template = templateOf(name)
    return template === undefined ? [path] : [path, besides(path, template)]
  })

/** The templates that must be looked up in the cluster: of instances whose text is needed and has no file of its own. */
export function templatesNeeded({ units, remote, local, replace }: Omit<SubmissionInput, 'verb'>): readonly string[] {
  const templates = units
    .filter(({ path, name }) => (replace || !remote.has(name)) && isAbsent(local.get(path)))
    .map(({ name }) => templateOf(name))
  return [...new Set(templates.filter((template) => template !== undefined))]
}

/** What to send, decided as a whole: one bad unit and nothing is sent. */
export function planSubmission(input: SubmissionInput): Submission {
  const notices: Notice[] = []
  const steps: SubmissionStep[] = []
  for (const unit of input.units) {
    const existing = input.remote.get(unit.name)
    const step =
      existing === undefined ? planCreate(input, unit, notices) : planExisting(input, unit, existing, notices)
    if (!step.ok) return { notices, outcome: step }
    steps.push(step.value)
  }
  const cycle = newCycle(steps)
  if (cycle !== undefined) {
    const message = `MachineOf= leads in a circle: ${[...cycle, cycle[0]].join(' -> ')}`
    const more = ['Each would wait for the other to be placed, for ever: remove MachineOf= from one of them.']
    return { notices, outcome: err({ message, more }) }
  }
  return { notices, outcome: ok(steps) }
}

/** A circle of MachineOf among the units that would not be there without these steps (trap 40). */
function newCycle(steps: readonly SubmissionStep[]): readonly string[] | undefined {
  const sent = new Set(steps.flatMap((step) => (step.kind === 'keep' ? [] : [step.unit])))
  const units = steps.map((step) => (step.kind === 'keep' ? step.unit : { name: step.unit, options: step.options }))
  const cycles = findMachineOfCycles(
    units.map(({ name, options }) => ({ name, requirements: readRequirements(name, options) })),
  )
  return cycles.find((cycle) => cycle.some((name) => sent.has(name)))
}

type Step = Result<SubmissionStep, Refusal>

function planCreate(
  input: SubmissionInput,
  unit: UnitArgument,
  notices: Notice[],
  kind: 'create' | 'replace' = 'create',
): Step {
  const text = findText(input, unit, notices)
  if (!text.ok) return text
  const { options, remarks } = text.value
  const name = checkFleetUnitName(unit.name)
  if (!name.ok) return refused(name.error.message, [], `${unit.path}: rename the file`)
  const wrong = checkUnitRequirements(unit.name, options, creationPolicyFor(unit.name)).find(
    ({ severity }) => severity === 'error',
  )
  if (wrong !== undefined) {
    const remedy = `${unit.path}: ${wrong.remedy}`
    // Combinations are refused in the original's words; the other findings are ours.
    return wrong.kind === 'refused-combination'
      ? refused(wrong.message, [], remedy)
      : refused(`Unit ${unit.name}: ${wrong.message}`, [remedy])
  }
  if (isTemplateName(unit.name) && (input.verb === 'load' || input.verb === 'start')) {
    // The daemon would say so, too, but only after the template has been created.
    return refused(
      `cannot activate template "${unit.name}"`,
      [],
      `start an instance, such as ${unit.name.replace('@', '@1')}`,
    )
  }
  for (const remark of remarks) notices.push({ kind: 'log', text: `Unit ${unit.name}: ${remark}` })
  for (const key of unrecognizedFleetKeys(options)) {
    notices.push({ kind: 'log', text: `Unit ${unit.name}: ${unrecognizedFleetKeyMessage(key)}` })
  }
  return ok({ kind, unit: unit.name, options, isGlobal: isGlobal(unit.name, options) })
}

function planExisting(input: SubmissionInput, unit: UnitArgument, existing: FleetUnit, notices: Notice[]): Step {
  const keep: Step = ok({ kind: 'keep', unit: existing })
  const source = localSource(input, unit)
  if (source.kind === 'refused') return err(source.refusal)
  const differs = source.kind === 'text' && hashOptions(source.options) !== hashOptions(existing.options)
  if (!input.replace) {
    if (differs || source.kind === 'bad-text') notices.push(differenceNotice(unit.name, unit.path, source.origin))
    return keep
  }
  if (source.kind === 'absent') {
    const template = templateOf(unit.name)
    return template === undefined
      ? refused(`error Unit ${unit.path} does not seem to be a template unit`, [], 'replacing needs the local file')
      : refused(`stat ${besides(unit.path, template)}: no such file or directory`, [], 'replacing needs the local file')
  }
  if (source.kind === 'bad-text') return refusedText(unit.path, source.problem)
  if (!differs) {
    notices.push({ kind: 'stdout', text: `Found same Unit(${unit.name}) in Registry, nothing to do` })
    return keep
  }
  const targetState = existing.targetState ?? 'inactive'
  if (!replaceable[input.verb].some((state) => state === targetState)) {
    const text = `Warning: can not replace Unit(${unit.name}) in state '${targetState}', use the appropriate command`
    notices.push({ kind: 'stderr', text })
    return keep
  }
  return planCreate(input, unit, notices, 'replace')
}

/** Own file, else for an instance: template in the cluster, else template file in the same folder. */
function findText(input: SubmissionInput, unit: UnitArgument, notices: Notice[]): Result<UnitText, Refusal> {
  const source = localSource(input, unit)
  if (source.kind === 'refused') return err(source.refusal)
  const template = templateOf(unit.name)
  if (source.origin !== 'file' && template !== undefined) {
    const remoteTemplate = input.remote.get(template)
    if (remoteTemplate !== undefined) {
      const differs = source.kind === 'text' && hashOptions(source.options) !== hashOptions(remoteTemplate.options)
      // A replacement has been told to differ already.
      if (differs && !input.remote.has(unit.name)) notices.push(differenceNotice(template, unit.path, 'template'))
      return ok({ options: remoteTemplate.options, remarks: [] })
    }
    if (source.kind === 'absent') {
      return refused(
        `failed getting Unit(${unit.path}) from template: ` +
          `unable to find template Unit(${template}) in Registry or on filesystem`,
      )
    }
  }
  switch (source.kind) {
    case 'text':
      return ok(source)
    case 'bad-text':
      return refusedText(unit.path, source.problem)
    case 'absent':
      return refused(
        `unable to find Unit(${unit.path}) in Registry or on filesystem`,
        [],
        `types of units: service socket timer path device mount automount; any other name gets .service appended`,
      )
    default:
      return source satisfies never
  }
}

type Origin = 'file' | 'template'

type LocalSource =
  | { readonly kind: 'absent'; readonly origin: undefined }
  | ({ readonly kind: 'text'; readonly origin: Origin } & UnitText)
  | { readonly kind: 'bad-text'; readonly origin: Origin; readonly problem: BadUnitText }
  | { readonly kind: 'refused'; readonly origin: undefined; readonly refusal: Refusal }

function localSource({ local }: SubmissionInput, { path, name }: UnitArgument): LocalSource {
  const own = local.get(path)
  if (!isAbsent(own)) return sourceOf(own, path, 'file')
  const template = templateOf(name)
  if (template === undefined) return { kind: 'absent', origin: undefined }
  const templatePath = besides(path, template)
  return sourceOf(local.get(templatePath), templatePath, 'template')
}

function sourceOf(file: LocalFile | undefined, path: string, origin: Origin): LocalSource {
  if (file === undefined || file.kind === 'absent') return { kind: 'absent', origin: undefined }
  if (file.kind === 'unreadable') {
    const message = `failed getting Unit(${path}) from file: ${file.why}`
    return { kind: 'refused', origin: undefined, refusal: { message, more: [file.remedy] } }
  }
  const text = readUnitText(file.text)
  return text.ok ? { kind: 'text', origin, ...text.value } : { kind: 'bad-text', origin, problem: text.error }
}

const differenceNotice = (unit: string, path: string, origin: Origin | undefined): Notice => ({
  kind: 'stderr',
  text:
    `WARNING: Unit ${unit} in registry differs from local ${origin === 'template' ? 'template ' : ''}unit file ${path}. ` +
    'Add --replace to override.',
})

const refused = (message: string, more: readonly string[] = [], hint?: string): Result<never, Refusal> =>
  err({ message, more, ...(hint === undefined ? {} : { hint }) })

const refusedText = (path: string, { why, remedy, place }: BadUnitText): Result<never, Refusal> =>
  refused(
    `failed getting Unit(${path}) from file: ${why}`,
    remedy === undefined ? [] : [remedy],
    remedy === undefined ? `look at ${path}, ${place}` : undefined,
  )

const isAbsent = (file: LocalFile | undefined): boolean => file === undefined || file.kind === 'absent'

/** The template that a unit is an instance of. */
export function templateOf(name: string): string | undefined {
  const parts = parseFleetName(name)
  return parts?.isInstance === true ? parts.template : undefined
}

const isTemplateName = (name: string): boolean => parseFleetName(name)?.isTemplate === true

/** Whether a unit runs on every machine that fits. */
export const isGlobal = (name: string, options: readonly UnitOption[]): boolean =>
  readRequirements(name, options).global
