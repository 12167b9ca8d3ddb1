/** Paths as text, by systemd's rules; nothing is looked up. */
import { byteLength } from './byte-text.ts'

const componentBytesMax = 255
const pathBytesMax = 4095

/**
 * The path without doubled and trailing slashes and without `.` parts; `..` stays. A relative path of which nothing
 * is left is `.`.
 */
export function simplifyPath(path: string): string {
  if (path === '') return ''
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/')) return `/${parts.join('/')}`
  return parts.length === 0 ? '.' : parts.join('/')
}

/** Whether the path has no `.`, `..` or empty parts inside and is no longer than the kernel takes. */
export function isNormalizedPath(path: string): boolean {
  if (path === '' || path === '.' || path.startsWith('./') || path.endsWith('/.')) return false
  if (path.includes('/./') || path.includes('//') || byteLength(path) > pathBytesMax) return false
  return path.split('/').every((part) => part !== '..' && byteLength(part) <= componentBytesMax)
}

/** Whether the path and each of its parts are no longer than the kernel takes. */
export const isPathLength = (path: string): boolean =>
  byteLength(path) <= pathBytesMax && path.split('/').every((part) => byteLength(part) <= componentBytesMax)

/** Everything before the last slash; `/` for what lies directly in the root, `''` where there is no slash. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === 0 ? '/' : path.slice(0, Math.max(slash, 0))
}

/** Everything behind the last slash. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
