/** Remarks on a request that succeeded, and reasons why one failed, as `Warning` headers of the 299 kind: bodies stay as old clients expect them. */

/** The header's value: `299 fleetd "TEXT"`, ASCII only. */
export function encodeWarning(text: string): string {
  const ascii = JSON.stringify(text.slice(0, 1000)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `299 fleetd ${ascii}`
}

/** The text of such a header; `undefined` for warnings of another kind or form. */
export function decodeWarning(value: string): string | undefined {
  const quoted = /^299 \S+ (".*")/.exec(value)?.[1]
  if (quoted === undefined) return undefined
  try {
    const text: unknown = JSON.parse(quoted)
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
