/** The snapshot files of a data directory and which of them are whole. Changes nothing. */
import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { parseSnapshotName } from './layout.ts'
import type { SnapshotPosition } from './payload.ts'
import { type SnapshotVerdict, verifySnapshotFile } from './snapshot-file.ts'

export type SnapshotFinding = {
  readonly path: string
  /** What its name says. */
  readonly at: SnapshotPosition
  readonly sizeBytes: number
  readonly verdict: SnapshotVerdict
}

/** Newest first, each read as a whole. No folder counts as an empty one. */
export const listSnapshotFiles = (disk: Disk, folder: string): readonly SnapshotFinding[] =>
  namedFiles(disk, folder).map((file) => ({ ...file, verdict: verifyNamed(disk, file.path, file.at) }))

/** The newest that is whole and those after it that are not: what a start has to look at, and reading takes its time. */
export function findNewestSnapshot(disk: Disk, folder: string): readonly SnapshotFinding[] {
  const findings: SnapshotFinding[] = []
  for (const file of namedFiles(disk, folder)) {
    const verdict = verifyNamed(disk, file.path, file.at)
    findings.push({ ...file, verdict })
    if (verdict.kind === 'whole') break
  }
  return findings
}

function namedFiles(disk: Disk, folder: string): readonly Omit<SnapshotFinding, 'verdict'>[] {
  if (disk.stat(folder) === undefined) return []
  const files = disk.list(folder).flatMap((name) => {
    const at = parseSnapshotName(name)
    const path = join(folder, name)
    return at === undefined ? [] : [{ path, at, sizeBytes: disk.stat(path)?.sizeBytes ?? 0 }]
  })
  return files.sort((one, other) => other.at.index - one.at.index || other.at.term - one.at.term)
}

function verifyNamed(disk: Disk, path: string, at: SnapshotPosition): SnapshotVerdict {
  const file = disk.open(path, 'read')
  try {
    const verdict = verifySnapshotFile(file)
    const fits = verdict.kind !== 'whole' || (verdict.at.index === at.index && verdict.at.term === at.term)
    return fits ? verdict : { kind: 'damaged', offset: 8, what: 'it is of another index or term than its name says' }
  } finally {
    file.close()
  }
}
