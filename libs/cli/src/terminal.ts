/** Colour where a person looks, and nowhere else. */
import picocolors from 'picocolors'
import type { Sink } from './io.ts'

export type Paint = {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

/**
 * Colours for a sink: only on a terminal, never with `NO_COLOR` (any text but the empty one) or `noColor`, never on
 * `TERM=dumb`.
 */
export function paintFor(
  sink: Sink,
  env: Readonly<Record<string, string | undefined>>,
  { noColor = false }: { readonly noColor?: boolean } = {},
): Paint {
  const refused = noColor || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  const { green, red, dim, bold } = picocolors.createColors(sink.isTerminal && !refused)
  return { good: green, bad: red, dim, bold }
}
