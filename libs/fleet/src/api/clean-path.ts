/** Paths with doubled slashes or dots are answered with a redirect to the clean one. Rules: Go's path.Clean and mux. */

/** The path without `//`, `.` and `..`; a trailing slash stays. `path` starts with a slash and is not escaped. */
export function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const clean = `/${parts.join('/')}`
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&#34;',
  "'": '&#39;',
}

/** Text that is safe inside an HTML attribute. */
export const escapeHtml = (text: string): string => text.replace(/[<>&"']/g, (found) => htmlEscapes[found] ?? found)
