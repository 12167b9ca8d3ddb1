/** What the globs of two units say of each other, matched one by one: for few questions, without any index. */
import { matchGlob } from '@cluster/unit-file'
import type { Unit } from './model.ts'

/** Whether the Conflicts of either side match the other one. */
export const isConflict = (one: Unit, other: Unit): boolean =>
  one.name !== other.name &&
  (one.requirements.conflicts.some((glob) => matchGlob(glob, other.name)) ||
    other.requirements.conflicts.some((glob) => matchGlob(glob, one.name)))

/** Whether the first replaces the other one; two that replace each other do not. */
export const isReplacing = (one: Unit, other: Unit): boolean =>
  one.name !== other.name && hasReplaces(one, other) && !hasReplaces(other, one)

const hasReplaces = ({ requirements }: Unit, { name }: Unit): boolean =>
  requirements.replaces.some((glob) => matchGlob(glob, name))
