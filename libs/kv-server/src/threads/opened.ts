/** What the log found when it was opened, as it travels from its thread to the store. */
export type Opened = {
  readonly identity: { readonly clusterId: string; readonly memberId: string; readonly extra: string }
  readonly isFresh: boolean
  readonly hardState: { readonly term: number; readonly votedFor: string | undefined; readonly commit: number }
  readonly snapshot: { readonly index: number; readonly term: number } | undefined
  readonly warnings: readonly string[]
}

/** A snapshot is durable: what `Log.release` is to be called with. */
export type Release = {
  readonly snapshot: { readonly index: number; readonly term: number }
  readonly keepAfterIndex: number
}
