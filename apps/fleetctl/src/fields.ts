/** `--fields`: which columns a list prints. Source: spec/fleet.md §10.3. */
import { err, ok, type Result } from '@cluster/prelude'

export type Column<Row> = {
  readonly name: string
  readonly cell: (row: Row) => string
}

/** The columns that were asked for, in that order, repeats kept; or what to say instead. */
export function chooseColumns<Row>(
  fields: string,
  columns: readonly Column<Row>[],
): Result<readonly Column<Row>[], string> {
  if (fields === '') return err('Must define output format')
  const chosen: Column<Row>[] = []
  for (const field of fields.split(',')) {
    const column = columns.find(({ name }) => name === field)
    if (column === undefined) return err(`Invalid key in output format: "${field}"`)
    chosen.push(column)
  }
  return ok(chosen)
}

/** Heading and cells of the rows. */
export const layOut = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): { readonly heading: readonly string[]; readonly rows: readonly (readonly string[])[] } => ({
  heading: columns.map(({ name }) => name.toUpperCase()),
  rows: rows.map((row) => columns.map(({ cell }) => cell(row))),
})
