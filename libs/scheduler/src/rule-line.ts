/** Which line of which unit file a verdict rests on. */
import { type FleetRequirements, matchGlob, parseUnitFile, readFleetRequirements } from '@cluster/unit-file'
import type { Verdict } from './able-to-run.ts'

export type RuleLine = {
  /** The unit in whose file the line is: the one that was asked about, or the one it cannot be beside. */
  readonly unit: string
  /** From 1. */
  readonly line: number
  /** The words of the file, continued lines joined: `Conflicts=web@*.service`. */
  readonly text: string
}

/**
 * The line that decides a verdict on a unit.
 *
 * @param textOf the text of a unit file; `undefined` for one that is not at hand
 * @returns `undefined` for a verdict that rests on no line (`fits`, `machine-gone`, `cordoned`), or without the text
 */
export function ruleLine(
  unit: string,
  verdict: Verdict,
  textOf: (unit: string) => string | undefined,
): RuleLine | undefined {
  const rule = ruleOf(unit, verdict)
  const text = rule && textOf(rule.unit)
  if (rule === undefined || text === undefined) return undefined
  for (const block of parseUnitFile(text).blocks) {
    if (block.kind !== 'assignment' || block.section !== 'X-Fleet') continue
    const option = { section: 'X-Fleet', name: block.key, value: block.value }
    if (rule.isStatedBy(readFleetRequirements(rule.unit, [option]))) {
      return { unit: rule.unit, line: block.line, text: block.text }
    }
  }
  return undefined
}

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
