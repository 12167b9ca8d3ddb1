/** The four specifiers that fleet itself expands, in the values of [X-Fleet] only. spec/fleet.md §2.7. */
import { parseFleetName } from './fleet-name.ts'

/**
 * The text with `%n`, `%N`, `%p` and `%i` replaced, one after the other in this order, by plain text replacement:
 * `%%` is no escape, and what one step has put in is seen by the next. Unchanged when the name has no dot.
 */
export function expandFleetSpecifiers(unitName: string, text: string): string {
  if (!text.includes('%')) return text
  const parts = parseFleetName(unitName)
  if (parts === undefined) return text
  return text
    .replaceAll('%n', () => parts.fullName)
    .replaceAll('%N', () => parts.name)
    .replaceAll('%p', () => parts.prefix)
    .replaceAll('%i', () => parts.instance)
}
