/** How a demonstration shows what a program printed. */

/** A line two columns to the right. Its TABs count from the left edge of the terminal, so they become blanks first. */
export function indented(line: string): string {
  const cells = line.split('\t')
  const text = cells.map((cell, index) =>
    index === cells.length - 1 ? cell : cell + ' '.repeat(8 - (cell.length % 8)),
  )
  return `  ${text.join('')}`.trimEnd().concat('\n')
}

export const seconds = (ms: number, digits = 1): string => (ms / 1000).toFixed(digits)
