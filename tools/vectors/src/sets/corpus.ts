/** Real unit files with what fleet makes of them: every file renders as it was read, options and hash agree. */
import { encodeText, hashOptions, parseUnitFile, readAsFleet, renderUnitFile } from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { isRecorded, objectsIn, type RecordedCase, textIn } from '../recorded-cases.ts'
import { sha256 } from '../recorded-units.ts'
import type { Difference, VectorFolder, VectorSet } from '../vector-set.ts'

/** Every JSON file with a list of `files` that have a `sha256`; the files themselves lie in `files/` beside it. */
export const corpus: VectorSet = {
  name: 'corpus',
  cases: (folder) =>
    manifests(folder).flatMap(({ place, entries }) =>
      entries.map((entry) => ({
        name: textIn(entry, 'file'),
        run: () => compare(entry, folder.readBytes(`${place}files/${textIn(entry, 'file')}`)),
      })),
    ),
}

function manifests(
  folder: VectorFolder,
): readonly { readonly place: string; readonly entries: readonly RecordedCase[] }[] {
  return folder.files
    .filter((file) => file.endsWith('.json') && !file.startsWith('files/'))
    .flatMap((file) => {
      const json = folder.readJson(file)
      const entries = isRecorded(json) ? objectsIn(json, 'files').filter((entry) => 'sha256' in entry) : []
      return entries.length === 0 ? [] : [{ place: file.slice(0, file.lastIndexOf('/') + 1), entries }]
    })
}

function compare(entry: RecordedCase, bytes: Uint8Array): readonly Difference[] {
  const rendered = encodeText(renderUnitFile(parseUnitFile(bytes)))
  const options = readAsFleet(bytes)
  return [
    ...differences(entry['bytes'] ?? bytes.length, bytes.length, 'bytes'),
    ...differences(entry['sha256'], sha256(bytes), 'sha256 of the file'),
    ...differences(sha256(bytes), sha256(rendered), 'sha256 of the rendered file'),
    ...differences(entry['goError'], options.ok ? undefined : options.error.message, 'goError'),
    ...differences(entry['goOptions'], options.ok ? options.value.length : undefined, 'goOptions'),
    ...differences(entry['fleetHash'], options.ok ? hashOptions(options.value) : undefined, 'fleetHash'),
  ]
}
