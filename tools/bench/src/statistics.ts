/** The middle of some values; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((one, other) => one - other)
  const half = Math.floor(ascending.length / 2)
  const upper = ascending[half] ?? Number.NaN
  return ascending.length % 2 === 1 ? upper : ((ascending[half - 1] ?? Number.NaN) + upper) / 2
}
