/** Our own programs, as the sets that were recorded from running programs start them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { VectorsError } from './errors.ts'

/** Each a command: the program and its first arguments. */
export type Programs = {
  readonly kvd: readonly string[]
  readonly kvctl: readonly string[]
  readonly flanneld: readonly string[]
}

/** The built programs of the project. Whether they are there is asked when one is started. */
export const builtPrograms = (projectRoot: string): Programs => ({
  kvd: [process.execPath, join(projectRoot, 'apps/kvd/dist/kvd.cjs')],
  // By this name it is etcdctl to the letter.
  kvctl: [process.execPath, join(projectRoot, 'apps/kvctl/dist/etcdctl.cjs')],
  flanneld: [process.execPath, join(projectRoot, 'apps/flanneld/dist/flanneld.cjs')],
})

/** @throws VectorsError vectors/not-built */
export function requireBuilt(command: readonly string[]): void {
  const script = command.find((part) => part.endsWith('.cjs'))
  if (script === undefined || existsSync(script)) return
  throw new VectorsError('vectors/not-built', `${script} is not there`, {
    hint: 'build the programs: npm run build',
  })
}
