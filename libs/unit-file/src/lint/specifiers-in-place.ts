/** Specifiers as they stand in a value. */

export type PlacedSpecifier = {
  /** Without its `%`. */
  readonly letter: string
  /** Where the `%` stands. */
  readonly from: number
}

/** The specifiers of a text, known or not; a doubled `%` is none, nor is one before what is no letter and no digit. */
export function placedSpecifiers(text: string): readonly PlacedSpecifier[] {
  const found: PlacedSpecifier[] = []
  for (let at = text.indexOf('%'); at !== -1 && at + 1 < text.length; at = text.indexOf('%', at + 2)) {
    const letter = text.charAt(at + 1)
    if (/[A-Za-z0-9]/.test(letter)) found.push({ letter, from: at })
  }
  return found
}

/** Those that systemd 252 knows. */
export const knownSpecifiers: ReadonlySet<string> = new Set('aAbBCdEfgGhHiIjJlLmMnNopPqsStTuUvVwWyYcrR')

/** The first systemd that knows a specifier, of those that came after 229. spec/unit-files.md §6. */
export const specifiersSince: ReadonlyMap<string, number> = new Map(
  (
    [
      [236, 'SCL'],
      [239, 'jJTVE'],
      [240, 'gG'],
      [246, 'aowBWl'],
      [249, 'AM'],
      [250, 'qd'],
      [251, 'yY'],
      [255, 'D'],
    ] as const
  ).flatMap(([version, letters]) => Array.from(letters, (letter) => [letter, version] as const)),
)
