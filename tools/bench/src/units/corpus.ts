/** The unit files that are read: the recorded corpus where it lies beside the project, else what this machine has installed. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type Corpus = {
  /** Where the files are from, for the report. */
  readonly name: string
  readonly files: readonly Uint8Array[]
}

const installed = ['/usr/lib/systemd/system', '/usr/lib/systemd/user']
const suffix = /\.(service|socket|timer|target|mount|automount|path|slice|swap|device|scope)$/

/** Every unit file of the first place that has any; `undefined` when no place has. */
export function findCorpus(root: string): Corpus | undefined {
  const recorded = join(root, '../shared/vectors/corpus/files')
  if (existsSync(recorded)) return { name: 'the recorded corpus', files: filesIn(recorded) }
  const files = installed.filter((folder) => existsSync(folder)).flatMap(filesIn)
  return files.length === 0 ? undefined : { name: 'the units installed here', files }
}

const filesIn = (folder: string): readonly Uint8Array[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => suffix.test(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => new Uint8Array(readFileSync(path)))
