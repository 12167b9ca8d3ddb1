/** Options back to text, as fleet writes and hashes them. Rules: spec/fleet.md §2.4. */
import type { UnitOption } from './option.ts'

/**
 * The text of options: grouped by section in order of first appearance, one empty line between sections, nothing for
 * no options. Values are written as they are, so a value that ends in a backslash does not read back.
 */
export function renderOptions(options: readonly UnitOption[]): string {
  let text = ''
  let rest = options
  while (rest.length > 0) {
    const section = rest[0]?.section ?? ''
    let others: UnitOption[] | undefined
    text += text === '' ? `[${section}]\n` : `\n[${section}]\n`
    for (const option of rest) {
      if (option.section === section) text += `${option.name}=${option.value}\n`
      else if (others === undefined) others = [option]
      else others.push(option)
    }
    rest = others ?? []
  }
  return text
}
