/** Where the lab finds what it puts into machines: built apps and the example units of this repository. */
import { fileURLToPath } from 'node:url'
import type { Programs } from './cluster.ts'

/** The repository's folder: three above this file, whether it is built (dist/lab.js) or source (src/repository.ts). */
export const repositoryFolder: string = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

export const programs: Programs = {
  fleetd: `${repositoryFolder}/apps/fleetd/dist/fleetd.cjs`,
  kvd: `${repositoryFolder}/apps/kvd/dist/kvd.cjs`,
  fleetctl: `${repositoryFolder}/apps/fleetctl/dist/fleetctl.cjs`,
  flanneld: `${repositoryFolder}/apps/flanneld/dist/flanneld.cjs`,
  examples: `${repositoryFolder}/examples`,
}
