/** Runs `work` for every item, at most `limit` at once. Rejects with the first failure, after all have ended. */
export async function forEachLimited<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  let failure: { readonly error: unknown } | undefined
  const worker = async (): Promise<void> => {
    // All workers draw from the one iterator, so each item is worked on once.
    for (const item of rest) {
      try {
        await work(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (failure !== undefined) throw failure.error
}
