/** One order for names and IDs everywhere: by UTF-8 bytes, as Go compares strings. */

/** Negative, zero or positive, as `Array.prototype.sort` wants it. */
export function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const left = one.charCodeAt(index)
    const right = other.charCodeAt(index)
    if (left !== right) return byteRank(left) - byteRank(right)
  }
  return one.length - other.length
}

/** Surrogates stand for characters above U+FFFF, so they sort behind U+E000–U+FFFF. */
function byteRank(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit
  return codeUnit < 0xe000 ? codeUnit + 0x2000 : codeUnit - 0x800
}
