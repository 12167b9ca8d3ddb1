/** Text as programs in Go print it. Pure. */

/** A text as Go's JSON encoder writes it. @see spec/etcd-v2.md §1.8 */
export const goJsonText = (text: string): string =>
  JSON.stringify(text).replace(/\\[\\bf]|[<>&\u2028\u2029]/g, (found) => {
    // A backslash that is escaped itself is taken whole, so that a `b` behind it stays one.
    if (found === '\\\\') return found
    const code = found === '\\b' ? 8 : found === '\\f' ? 12 : found.charCodeAt(0)
    return `\\u${code.toString(16).padStart(4, '0')}`
  })

/** A text in double quotes as `%q` writes it. */
export const goQuoted = (text: string): string =>
  `"${text.replace(/["\\\x00-\x1f\x7f]/g, (character) => {
    const short = quotes[character]
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })}"`

const quotes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
}

/** What the system says of a failed file operation: `open /x: no such file or directory`. */
export function fileFailure(verb: string, path: string, error: unknown): string {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
  const said = errnoTexts[errno] ?? (error instanceof Error ? error.message : String(error))
  return `${verb} ${path}: ${said}`
}

/** The system's errors in its C library's words. */
export const errnoTexts: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  ENOTEMPTY: 'directory not empty',
  ENOSPC: 'no space left on device',
  E2BIG: 'argument list too long',
  EMFILE: 'too many open files',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ETIMEDOUT: 'connection timed out',
  EPIPE: 'broken pipe',
}
