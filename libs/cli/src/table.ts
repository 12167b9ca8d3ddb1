/**
 * Columns as Go's text/tabwriter lays them out with minimum width 0, tab width 8, padding 1 and TAB as the pad
 * character (spec/fleet.md §10.3): scripts cut fleet's tables at TABs and count on their number.
 */

const tabWidth = 8
const padding = 1

/**
 * Rows as text, one line each, every line ended by a newline.
 *
 * A column is as wide as its longest cell plus one, rounded up to 8, and is filled with TABs. The last cell of a row is
 * not filled and does not count for its column. Rows may differ in length: a column is made of consecutive rows that
 * have it. Width is counted in code points.
 */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.map((row) => row.slice(0, -1).map(() => 0))
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0)
  for (let column = 0; column < columns - 1; column += 1) setColumnWidths(rows, widths, column)
  return rows.map((row, index) => renderRow(row, widths[index] ?? [])).join('')
}

function setColumnWidths(rows: readonly (readonly string[])[], widths: readonly number[][], column: number): void {
  let start = 0
  while (start < rows.length) {
    let end = start
    let widest = 0
    for (let row = rows[end]; row !== undefined && column < row.length - 1; row = rows[end]) {
      widest = Math.max(widest, widthOf(row[column] ?? '') + padding)
      end += 1
    }
    const width = Math.ceil(widest / tabWidth) * tabWidth
    for (const rowWidths of widths.slice(start, end)) rowWidths[column] = width
    start = end + 1
  }
}

const renderRow = (row: readonly string[], widths: readonly number[]): string =>
  `${row.map((cell, column) => cell + '\t'.repeat(tabsBehind(cell, widths[column]))).join('')}\n`

const tabsBehind = (cell: string, width: number | undefined): number =>
  width === undefined ? 0 : Math.ceil((width - widthOf(cell)) / tabWidth)

const widthOf = (text: string): number => [...text].length
