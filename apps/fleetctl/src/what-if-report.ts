/** Consequences for people and programs. */
import { type Paint, renderTable } from '@cluster/cli'
import { type Machines, machineCell } from './machine-cell.ts'
import { counted, renderReasons } from './machine-reasons.ts'
import { fileLineText } from './unit-source.ts'
import type { Consequences, LoadSummary, Unplaced } from './what-if-answer.ts'
import { wrapped } from './wrap.ts'

export type ReportStyle = {
  readonly machines: Machines
  readonly paint: Paint
  readonly full: boolean
  /** Whether every move, unit and machine is named. */
  readonly all: boolean
  readonly width?: number | undefined
  /** Whether a unit that fits nowhere else would stay where it is: a drained machine goes on. */
  readonly isDrain: boolean
}

/** So many lines of a list are shown. */
const shownMax = 20
/** So many kinds of units without a place are told with their reasons, and so many units of each are named. */
const reasonedMax = 5
const namedMax = 5

/** Everything that would change, worst first. */
export function renderConsequences(consequences: Consequences, style: ReportStyle): string {
  const { moves, unplaced, placed, stillUnplaced, globals, loads, before, after } = consequences
  const parts = [
    renderUnplaced(unplaced, style),
    renderMoves(moves, style),
    ...globals.map(
      ({ unit, machines }) => `${unit} is global and would run on ${counted(machines.length, 'machine')}.\n`,
    ),
    renderLoads(loads, style),
    renderSummary(before, after, style),
    namesOf('had no place before, and would have one or be gone', placed, style),
    namesOf('had no place before, and would have none', stillUnplaced, style),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function renderUnplaced(unplaced: readonly Unplaced[], style: ReportStyle): string {
  const { paint, all, width, isDrain } = style
  if (unplaced.length === 0) return `${paint.good('Every unit that has a place keeps one.')}\n`
  const isOne = unplaced.length === 1
  const fate = isDrain
    ? `${isOne ? 'fits' : 'fit'} nowhere else and ${isOne ? 'stays' : 'stay'} until another machine fits`
    : `${isOne ? 'has' : 'have'} no place`
  const groups = groupUnplaced(unplaced)
  const shown = all ? groups : groups.slice(0, reasonedMax)
  const left = groups.slice(shown.length).reduce((sum, group) => sum + group.length, 0)
  return [
    `${paint.bad(`${counted(unplaced.length, 'unit')} ${fate}:`)}\n`,
    ...shown.flatMap((group) => renderGroup(group, style)),
    ...(left > 0 ? [wrapped(`and ${counted(left, 'unit')} more (--all names them)`, { width, indent: '  ' })] : []),
  ].join('')
}

/** Units of which the same is to be said; of each group the first one's reasons are told. */
function groupUnplaced(unplaced: readonly Unplaced[]): readonly (readonly Unplaced[])[] {
  const groups = new Map<string, Unplaced[]>()
  for (const each of unplaced) {
    const said = each.reasons.map(({ rule, reasons }) =>
      reasons.map(({ machineId, text, line }) => [machineId, line?.text ?? text, rule]),
    )
    const key = JSON.stringify([each.lines, said])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return [...groups.values()]
}

function renderGroup(group: readonly Unplaced[], style: ReportStyle): readonly string[] {
  const { paint, all, width } = style
  const [first] = group
  if (first === undefined) return []
  const named = (all ? group : group.slice(0, namedMax)).map(({ unit }) => unit).join(', ')
  const left = all ? 0 : group.length - namedMax
  const head = wrapped(`${named}${left > 0 ? ` and ${left} more, which read the same` : ''}`, {
    width,
    indent: '  ',
    hanging: '    ',
  })
  return [
    `${paint.bold(head.trimEnd())}\n`,
    ...first.lines.map((line) => wrapped(line, { width, indent: '    ', hanging: '      ' })),
    renderReasons(first.reasons, { cell: cellOf(style), all, width, indent: '    ' }),
  ]
}

const cellOf =
  ({ machines, full }: ReportStyle) =>
  (id: string): string =>
    machines.has(id) ? machineCell(id, machines, { full }) : id

const moreOf = (left: number): readonly string[] => (left > 0 ? [`  and ${left} more (--all names them)\n`] : [])

function renderMoves(moves: Consequences['moves'], style: ReportStyle): string {
  if (moves.length === 0) return 'No unit moves.\n'
  const cell = cellOf(style)
  const shown = style.all ? moves : moves.slice(0, shownMax)
  const rows = shown.map(({ unit, from, to }) => [`  ${from === undefined ? '-' : cell(from)}`, cell(to), unit])
  const arriving = moves.filter(({ from }) => from === undefined).length
  const moving = moves.length - arriving
  const head = [
    ...(moving === 0 ? [] : [`${counted(moving, 'unit')} ${moving === 1 ? 'moves' : 'move'}`]),
    ...(arriving === 0 ? [] : [`${counted(arriving, 'unit')} ${arriving === 1 ? 'gets' : 'get'} a place`]),
  ].join(', ')
  return [`${head}:\n`, renderTable([['  FROM', 'TO', 'UNIT'], ...rows]), ...moreOf(moves.length - shown.length)].join(
    '',
  )
}

/** Machines that are lost or new first, then the fullest. */
function renderLoads(loads: Consequences['loads'], style: ReportStyle): string {
  if (loads.length === 0) return ''
  const isThroughout = ({ before, after }: Consequences['loads'][number]): boolean => before !== null && after !== null
  const sorted = [...loads].sort(
    (one, other) => Number(isThroughout(one)) - Number(isThroughout(other)) || (other.after ?? 0) - (one.after ?? 0),
  )
  const shown = style.all ? sorted : sorted.slice(0, shownMax)
  const cell = cellOf(style)
  const rows = shown.map(({ machine, before, after }) => [
    `  ${cell(machine)}`,
    before === null ? '-' : String(before),
    after === null ? 'gone' : String(after),
  ])
  const heading = ['  MACHINE', 'UNITS BEFORE', 'AFTER']
  return [renderTable([heading, ...rows]), ...moreOf(sorted.length - shown.length)].join('')
}

function renderSummary(before: LoadSummary, after: LoadSummary, style: ReportStyle): string {
  const cell = cellOf(style)
  const words = ({ machines, units, busiest }: LoadSummary): string =>
    `${counted(units, 'unit')} on ${counted(machines, 'machine')}` +
    (busiest === undefined ? '' : `, at most ${busiest.units} (${cell(busiest.machine)})`)
  return `Before: ${words(before)}\nAfter:  ${words(after)}\n`
}

function namesOf(what: string, units: readonly string[], { all, width }: ReportStyle): string {
  if (units.length === 0) return ''
  const shown = all ? units : units.slice(0, reasonedMax)
  const left = units.length - shown.length
  const text = `${counted(units.length, 'unit')} ${what}: ${shown.join(', ')}${left > 0 ? ` and ${left} more` : ''}`
  return wrapped(text, { width, hanging: '  ' })
}

/** One line for each fact, cells divided by TABs: `move`, `unplaced`, `load`. */
export function plainConsequences({ moves, unplaced, loads }: Consequences): string {
  const rows = [
    ...moves.map(({ unit, from, to }) => ['move', unit, from ?? '-', to]),
    ...unplaced.map(({ unit }) => ['unplaced', unit]),
    ...loads.map(({ machine, before, after }) => ['load', machine, String(before ?? '-'), String(after ?? '-')]),
  ]
  return rows.map((row) => `${row.join('\t')}\n`).join('')
}

/** Keys are API. */
export const consequencesJson = (
  { moves, unplaced, placed, stillUnplaced, globals, loads, before, after }: Consequences,
  machines: Machines,
): unknown => ({
  moves: moves.map(({ unit, from, to }) => ({ unit, from: from ?? null, to })),
  unplaced: unplaced.map(({ unit, lines, reasons }) => ({
    unit,
    lines,
    reasons: reasons.map(({ fits, rule, reasons: all }) => {
      const [first] = all
      return {
        fits,
        rule,
        text: first?.text ?? rule,
        place: first?.line === undefined ? null : fileLineText(first.line),
        machines: all.map(({ machineId }) => machineId),
      }
    }),
  })),
  placed,
  stillUnplaced,
  globals,
  loads: loads.map(({ machine, ...load }) => ({ machine, ip: machines.get(machine)?.primaryIp || null, ...load })),
  before: summaryJson(before),
  after: summaryJson(after),
})

const summaryJson = ({ machines, units, busiest }: LoadSummary): unknown => ({
  machines,
  units,
  busiest: busiest ?? null,
})
