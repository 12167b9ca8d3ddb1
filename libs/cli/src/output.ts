/** The answer of a command in the form that was asked for. JSON keys are API; tables are for people. */
import type { Flag } from './flags.ts'
import type { Io } from './io.ts'
import { renderTable } from './table.ts'

/** The forms that `--output` knows. `plain`: as the table, without heading, cells divided by a single TAB. */
export const outputForms = ['table', 'plain', 'json'] as const

export type OutputForm = (typeof outputForms)[number]

/** The flag itself, to be declared by every command that prints data. */
export const outputFlag: Flag = {
  kind: 'string',
  default: 'table',
  choices: outputForms,
  summary: 'Form of the answer: table, plain (no heading, one TAB between cells) or json',
}

/** The form of that name; `table` for any other, which the flag's choices rule out. */
export const outputForm = (name: string): OutputForm => outputForms.find((form) => form === name) ?? 'table'

export type Table = {
  readonly heading: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Whether the heading is left out of a table, too. */
  readonly withoutHeading?: boolean
  /** What `json` prints in place of heading and rows. */
  readonly json: unknown
}

/** Writes a table, or what it stands for, to stdout. */
export const printTable = (io: Io, form: OutputForm, table: Table): void => io.stdout.write(renderOutput(form, table))

function renderOutput(form: OutputForm, { heading, rows, withoutHeading = false, json }: Table): string {
  switch (form) {
    case 'json':
      return renderJson(json)
    case 'plain':
      return rows.map((row) => `${row.join('\t')}\n`).join('')
    case 'table':
      return renderTable(withoutHeading ? rows : [heading, ...rows])
    default:
      return form satisfies never
  }
}

const renderJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** Writes a value to stdout as JSON, indented, with a newline at its end. */
export const printJson = (io: Io, value: unknown): void => io.stdout.write(renderJson(value))
