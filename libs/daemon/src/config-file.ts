/**
 * The INI-like file of fleet.conf as values with their lines. Rules: spec/fleet.md §9. Only lines ahead of the first
 * `[section]` count; `#` and `;` begin a comment line; a trailing `\` joins the next line.
 */

export type FileEntry = {
  /** Lower case. */
  readonly key: string
  /** Without its quotes; undefined for a bare `key`. */
  readonly value: string | undefined
  /** Line of the key, from 1. */
  readonly line: number
}

export type FileProblem = { readonly line: number; readonly message: string }

export type ConfigFile = {
  readonly entries: readonly FileEntry[]
  /** Lines that make no sense; the daemon should not start with them. */
  readonly problems: readonly FileProblem[]
  /** Lines that are legal and probably not what was meant. */
  readonly warnings: readonly FileProblem[]
}

export function parseConfigFile(text: string): ConfigFile {
  const entries: FileEntry[] = []
  const problems: FileProblem[] = []
  const warnings: FileProblem[] = []
  for (const { line, text: joined } of logicalLines(text)) {
    if (joined.startsWith('[')) {
      warnings.push({
        line,
        message: `everything from ${joined.slice(0, 80)} on is not read: only lines ahead of sections count`,
      })
      break
    }
    const [, name = '', , value] = /^([^=]*?)(\s*=\s*(.*))?$/s.exec(joined) ?? []
    const key = name.toLowerCase()
    if (!/^[\w.-]+$/.test(key)) {
      problems.push({ line, message: `expected key = "value", found ${JSON.stringify(joined.slice(0, 80))}` })
      continue
    }
    if (entries.some((entry) => entry.key === key))
      warnings.push({ line, message: `${key} is set again; this one counts` })
    const quote = value?.[0]
    const isQuoted = quote === '"' || quote === "'"
    if (value !== undefined && isQuoted && (value.length < 2 || !value.endsWith(quote))) {
      problems.push({ line, message: `the ${quote} of ${key} is not closed on this line` })
      continue
    }
    entries.push({ key, value: isQuoted ? value?.slice(1, -1) : value, line })
  }
  return { entries, problems, warnings }
}

/** Lines without comments and blank ones, continuations joined, each with the number of its first line. */
function logicalLines(text: string): readonly { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  const physical = text.replace(/^\uFEFF/, '').split('\n')
  for (const [index, raw] of physical.entries()) {
    const trimmed = raw.trim()
    if (open === undefined && (trimmed === '' || /^[#;]/.test(trimmed))) continue
    const continues = trimmed.endsWith('\\')
    const content = continues ? trimmed.slice(0, -1).trimEnd() : trimmed
    open = open === undefined ? { line: index + 1, text: content } : { ...open, text: open.text + content }
    if (continues && index < physical.length - 1) continue
    lines.push(open)
    open = undefined
  }
  if (open !== undefined) lines.push(open)
  return lines
}
