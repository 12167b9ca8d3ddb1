/** One `name=value` of a unit file, as fleet keeps it: repeats and empty values stay, order is file order. */
export type UnitOption = {
  readonly section: string
  readonly name: string
  readonly value: string
}
