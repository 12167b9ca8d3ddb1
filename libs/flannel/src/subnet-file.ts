/** Where the file with this machine's subnet is kept. The text is made and read by `@cluster/subnet`. */
export type SubnetFile = {
  /** The whole text; `undefined` when there is no such file. Throws when it cannot be read. */
  readonly read: (signal?: AbortSignal) => Promise<string | undefined>
  /** Replaces the file in one step, making its directory. Throws when it cannot. */
  readonly write: (text: string, signal?: AbortSignal) => Promise<void>
  /** Removes the file; for cleanup only. Absent already: nothing happens. */
  readonly remove: () => Promise<void>
}

/** A subnet file in memory: for tests, and for an overlay whose subnet nobody else reads. */
export function createVolatileSubnetFile(text?: string): SubnetFile & { readonly text: () => string | undefined } {
  let current = text
  return {
    text: () => current,
    read: async () => current,
    write: async (next) => {
      current = next
    },
    remove: async () => {
      current = undefined
    },
  }
}
