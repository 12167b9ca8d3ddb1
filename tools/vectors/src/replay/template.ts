/** Texts of a script with places that only a run can fill. Form: tools/vectors/README.md. */

/** What a run knows: numbers and texts by name. `index` is the store's index when the script began. */
export type Variables = ReadonlyMap<string, string | number>

/** The text with `{{name}}`, `{{name+3}}` and `{{index20+3}}` (20 digits) filled in; unknown names stay. */
export const expand = (text: string, variables: Variables): string =>
  text.replace(/\{\{\s*([A-Za-z_]\w*)\s*(?:([+-])\s*(\d+))?\s*\}\}/g, (whole, name: string, sign, digits) => {
    const padded = name === 'index20'
    const value = variables.get(padded ? 'index' : name)
    if (value === undefined) return whole
    if (digits === undefined && !padded) return String(value)
    const sum = Number(value) + (sign === '-' ? -1 : 1) * Number(digits ?? 0)
    return padded ? String(sum).padStart(20, '0') : String(sum)
  })
