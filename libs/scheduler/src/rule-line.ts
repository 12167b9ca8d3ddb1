/** Which line of which unit file a verdict rests on. */
import { type FleetRequirements, matchGlob, parseUnitFile, readFleetRequirements } from '@cluster/unit-file'
import type { Verdict } from './able-to-run.ts'

/** A line of a unit file that decides a verdict. */
export type RuleLine = {
  /** The unit in whose file the line is: the one that was asked about, or the one it cannot be beside. */
  readonly unit: string
  /** From 1. */
  readonly line: number
  /** The words of the file, continued lines joined: `Conflicts=web@*.service`. */
  readonly text: string
}

/** The text of a unit file; `undefined` for one that is not at hand. */
export type TextOf = (unit: string) => string | undefined

/**
 * The line that decides a verdict on a unit.
 *
 * @returns `undefined` for a verdict that rests on no line (`fits`, `machine-gone`, `cordoned`), or without the text
 */
export const ruleLine = (unit: string, verdict: Verdict, textOf: TextOf): RuleLine | undefined =>
  createRuleLines(textOf)(unit, verdict)

/** `ruleLine` for many verdicts, for which every text is read once. */
export function createRuleLines(textOf: TextOf): (unit: string, verdict: Verdict) => RuleLine | undefined {
  const files = new Map<string, readonly StatedLine[]>()
  const linesOf = (unit: string): readonly StatedLine[] => {
    const known = files.get(unit)
    if (known !== undefined) return known
    const text = textOf(unit)
    const lines = text === undefined ? [] : statedLines(unit, text)
    files.set(unit, lines)
    return lines
  }
  return (unit, verdict) => {
    const rule = ruleOf(unit, verdict)
    return rule && linesOf(rule.unit).find(({ states }) => rule.isStatedBy(states))?.at
  }
}

type StatedLine = { readonly at: RuleLine; readonly states: FleetRequirements }

/** The lines that state requirements, and what each states by itself. */
const statedLines = (unit: string, text: string): readonly StatedLine[] =>
  parseUnitFile(text).blocks.flatMap((block) => {
    if (block.kind !== 'assignment' || block.section !== 'X-Fleet') return []
    const states = readFleetRequirements(unit, [{ section: 'X-Fleet', name: block.key, value: block.value }])
    return [{ at: { unit, line: block.line, text: block.text }, states }]
  })

/** `web.service:7: Conflicts=web@*.service`. */
export const ruleLineText = ({ unit, line, text }: RuleLine): string => `${unit}:${line}: ${text}`

type Rule = { readonly unit: string; readonly isStatedBy: (requirements: FleetRequirements) => boolean }

function ruleOf(unit: string, verdict: Verdict): Rule | undefined {
  switch (verdict.kind) {
    case 'machine-id':
      return { unit, isStatedBy: ({ machineId }) => machineId === verdict.required }
    case 'metadata':
      return { unit, isStatedBy: ({ metadata }) => verdict.missing.some(({ key }) => metadata.has(key)) }
    case 'peer-missing':
      return { unit, isStatedBy: ({ machineOf }) => machineOf.includes(verdict.peer) }
    case 'conflict': {
      const isOwn = verdict.declaredBy === 'this-unit'
      const target = isOwn ? verdict.unit : unit
      const isStatedBy = ({ conflicts }: FleetRequirements) => conflicts.some((glob) => matchGlob(glob, target))
      return { unit: isOwn ? unit : verdict.unit, isStatedBy }
    }
    case 'replace': {
      const isOwn = verdict.direction === 'replaces'
      const target = isOwn ? verdict.unit : unit
      const isStatedBy = ({ replaces }: FleetRequirements) => replaces.some((glob) => matchGlob(glob, target))
      return { unit: isOwn ? unit : verdict.unit, isStatedBy }
    }
    case 'fits':
    case 'cordoned':
    case 'machine-gone':
      return undefined
    default:
      return verdict satisfies never
  }
}
