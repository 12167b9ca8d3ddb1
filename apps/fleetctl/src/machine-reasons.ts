/** What machines say to a unit: equal answers together, so that a thousand machines take a few lines. */

import { type FileLine, fileLineText } from './unit-source.ts'
import { wrapped } from './wrap.ts'

/** What one machine says. */
export type MachineReason = {
  readonly machineId: string
  readonly fits: boolean
  /** Name of the rule that decided. */
  readonly rule: string
  readonly text: string
  /** The line of the unit file that decided; absent where none did. */
  readonly line?: FileLine
}

/** Machines that say the same: one rule, one wording in the unit files. */
export type ReasonGroup = {
  readonly fits: boolean
  readonly rule: string
  /** At least one. */
  readonly reasons: readonly MachineReason[]
}

/** So many wordings of one rule are told apart; more are one group. */
const wordingsMax = 3

/** Groups, first those that fit, then by size; machines stay in order. */
export function groupReasons(reasons: readonly MachineReason[]): readonly ReasonGroup[] {
  const byRule = groupsBy(reasons, ({ fits, rule, line, text }) => `${fits} ${rule} ${line?.text ?? text}`)
  return byRule
    .flatMap((group) => {
      const byText = groupsBy(group, ({ text }) => text)
      return byText.length <= wordingsMax ? byText : [group]
    })
    .flatMap((group) => {
      const [first] = group
      return first === undefined ? [] : [{ fits: first.fits, rule: first.rule, reasons: group }]
    })
    .sort((one, other) => Number(other.fits) - Number(one.fits) || other.reasons.length - one.reasons.length)
}

function groupsBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

export type ReasonStyle = {
  /** How a machine is shown. */
  readonly cell: (machineId: string) => string
  /** Whether every machine is named, not only the first few of a group. */
  readonly all: boolean
  /** Of the terminal; absent: lines are not broken. */
  readonly width?: number | undefined
  readonly indent?: string
}

/** So many machines of a group are named. */
const namedMax = 3

/** The groups as text, one after the other. */
export const renderReasons = (groups: readonly ReasonGroup[], style: ReasonStyle): string =>
  groups.map((group) => renderGroup(group, style)).join('')

function renderGroup({ fits, rule, reasons }: ReasonGroup, { cell, all, width, indent = '' }: ReasonStyle): string {
  const inner = `${indent}  `
  const shown = all ? reasons : reasons.slice(0, namedMax)
  const left = reasons.length - shown.length
  const more = left === 0 ? [] : [`and ${left} more (--all names them)`]
  const texts = new Set(reasons.map(({ text }) => text))
  const [text = rule] = texts
  const says = texts.size > 1 ? rule : text
  const head = fits
    ? `${counted(reasons.length, 'machine')} can run it`
    : `${counted(reasons.length, 'machine')}: ${says}`
  const words =
    texts.size > 1
      ? [...shown.map((reason) => `${cell(reason.machineId)}: ${reason.text}`), ...more]
      : [[shown.map(({ machineId }) => cell(machineId)).join(', '), ...more].join(' ')]
  return (
    wrapped(head, { width, indent, hanging: inner }) +
    linesOf(reasons)
      .map((line) => wrapped(line, { width, indent: inner, hanging: `${inner}  ` }))
      .join('') +
    words.map((line) => wrapped(line, { width, indent: inner, hanging: `${inner}  ` })).join('')
  )
}

/** The line of the file; of many that read the same the first. */
function linesOf(reasons: readonly MachineReason[]): readonly string[] {
  const lines = new Set(reasons.flatMap(({ line }) => (line === undefined ? [] : [fileLineText(line)])))
  const [first] = lines
  if (first === undefined) return []
  return [lines.size === 1 ? first : `${first} (and ${lines.size - 1} more files say the same)`]
}

/** `1 machine`, `3 machines`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
