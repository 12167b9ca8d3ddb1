/** Lines for a terminal: broken at blanks, what follows is indented. */

/**
 * The text with line breaks, ended by a newline; a word longer than a line stays whole.
 *
 * @param width of the terminal; absent: nothing is broken, so that lines can be searched
 */
export function wrapped(
  text: string,
  { width, indent = '', hanging = indent }: { width?: number | undefined; indent?: string; hanging?: string },
): string {
  if (width === undefined || indent.length + text.length <= width) return `${indent}${text}\n`
  const lines: string[] = []
  let line = indent
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = hanging
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].map((each) => `${each}\n`).join('')
}
