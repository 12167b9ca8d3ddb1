/** Real unit files without recorded answers: every file must render byte for byte as it was read. */
import { encodeText, parseUnitFile, renderUnitFile } from '@cluster/unit-file'
import type { Difference, VectorSet } from '../vector-set.ts'

/** Stands in for the set `corpus` where that is not at hand. */
export const installedUnits: VectorSet = {
  name: 'corpus',
  cases: (folder) =>
    folder.files.map((file) => ({ name: `${file}: renders as read`, run: () => compare(folder.readBytes(file)) })),
  notes: () => ['the recorded corpus is not beside the project: the unit files of this machine are read instead'],
}

function compare(bytes: Uint8Array): readonly Difference[] {
  const rendered = encodeText(renderUnitFile(parseUnitFile(bytes)))
  const at = rendered.findIndex((byte, index) => byte !== bytes[index])
  if (at < 0 && rendered.length === bytes.length) return []
  const from = at < 0 ? Math.min(rendered.length, bytes.length) : at
  const excerpt = (of: Uint8Array): string => new TextDecoder('latin1').decode(of.subarray(from, from + 80))
  return [{ at: `byte ${from}`, expected: excerpt(bytes), actual: excerpt(rendered) }]
}
