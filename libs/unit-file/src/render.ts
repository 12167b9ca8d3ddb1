/** Options back to text, as fleet writes and hashes them. Rules: spec/fleet.md §2.4. */
import type { UnitOption } from './option.ts'

/**
 * The text of options: grouped by section in order of first appearance, one empty line between sections, nothing for
 * no options. Values are written as they are, so a value that ends in a backslash does not read back.
 */
export function renderOptions(options: readonly UnitOption[]): string {
  const texts = new Map<string, string>()
  // options of a section mostly stand together: the map is asked once per run
  let section: string | undefined
  let text = ''
  for (const option of options) {
    if (option.section !== section) {
      if (section !== undefined) texts.set(section, text)
      section = option.section
      text = texts.get(section) ?? `[${section}]\n`
    }
    text += `${option.name}=${option.value}\n`
  }
  if (section !== undefined) texts.set(section, text)
  return [...texts.values()].join('\n')
}
