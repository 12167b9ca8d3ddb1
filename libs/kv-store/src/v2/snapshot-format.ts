/** What writing and reading a snapshot share: docs/formats/keyspace.md. */

export const formatVersion = 1
/** Version and number of the part. */
export const partHeaderBytes = 5

/** First byte of a record. */
export const tag = { header: 1, node: 2, event: 3, more: 4, end: 5 } as const
export const nodeFlag = { isDirectory: 1, hasDeadline: 2 } as const
export const eventFlag = { isRefresh: 1, isDirectoryRemoval: 2 } as const
