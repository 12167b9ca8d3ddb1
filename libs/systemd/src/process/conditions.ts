/** `Condition…=` and `Assert…=` on paths: asked of the disk when a unit is to start. @see systemd.unit(5) */
import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs'
import type { UnitCondition } from '@cluster/unit-file'

/** The first condition that keeps the unit from starting, as it is written; undefined: nothing does. */
export function unmetCondition(conditions: readonly UnitCondition[]): string | undefined {
  const unmet = conditions.find((condition) => !condition.trigger && !holds(condition))
  if (unmet !== undefined) return describe(unmet)
  const triggers = conditions.filter(({ trigger }) => trigger)
  const [first] = triggers
  return first === undefined || triggers.some(holds) ? undefined : describe(first)
}

const describe = ({ name, trigger, negate, parameter }: UnitCondition): string =>
  `${name}=${trigger ? '|' : ''}${negate ? '!' : ''}${parameter}`

const holds = ({ name, negate, parameter }: UnitCondition): boolean =>
  check(name.replace(/^(?:Condition|Assert)/, ''), parameter) !== negate

function check(kind: string, path: string): boolean {
  try {
    switch (kind) {
      case 'PathExists':
        accessSync(path)
        return true
      case 'PathIsDirectory':
        return statSync(path).isDirectory()
      case 'PathIsSymbolicLink':
        return lstatSync(path).isSymbolicLink()
      case 'FileNotEmpty': {
        const stats = statSync(path)
        return stats.isFile() && stats.size > 0
      }
      case 'FileIsExecutable':
        accessSync(path, constants.X_OK)
        return statSync(path).isFile()
      case 'DirectoryNotEmpty':
        return readdirSync(path).length > 0
      default:
        return false
    }
  } catch {
    return false
  }
}
