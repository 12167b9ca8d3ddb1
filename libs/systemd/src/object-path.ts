/** Unit names in D-Bus object paths. Rule: systemd's bus_label_escape, sd_bus_path_encode(3). */

const unitRoot = '/org/freedesktop/systemd1/unit/'

/** The object path of a unit: `/org/freedesktop/systemd1/unit/a_2eservice` for `a.service`. */
export function unitObjectPath(name: string): string {
  if (name === '') return `${unitRoot}_`
  let label = ''
  for (const [position, byte] of new TextEncoder().encode(name).entries()) {
    const character = String.fromCharCode(byte)
    const plain = /[A-Za-z]/.test(character) || (position > 0 && /[0-9]/.test(character))
    label += plain ? character : `_${byte.toString(16).padStart(2, '0')}`
  }
  return unitRoot + label
}

/** The unit of an object path; undefined for a path that is not one of a unit. */
export function unitOfObjectPath(path: string): string | undefined {
  if (!path.startsWith(unitRoot)) return undefined
  const label = path.slice(unitRoot.length)
  if (label === '_') return ''
  if (!/^(?:[A-Za-z0-9]|_[0-9a-f]{2})+$/.test(label)) return undefined
  const bytes = label
    .match(/_[0-9a-f]{2}|./g)
    ?.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)))
  return new TextDecoder().decode(Uint8Array.from(bytes ?? []))
}
