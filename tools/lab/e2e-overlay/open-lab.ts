/** An overlay lab for one test file, with the built programs; skipped with the reason where the host cannot have one. */
import { existsSync } from 'node:fs'
import { describe } from 'vitest'
import { type HostNumber, type OverlayLab, openOverlayLab, overlayObstacles } from '../src/overlay/index.ts'
import { repositoryFolder } from '../src/repository.ts'

export const programs = {
  flanneld: `${repositoryFolder}/apps/flanneld/dist/flanneld.cjs`,
  kvd: `${repositoryFolder}/apps/kvd/dist/kvd.cjs`,
  /** What the guide's procedures are typed with. */
  kvctl: `${repositoryFolder}/apps/kvctl/dist/kvctl.cjs`,
}

export const prefix = '/coreos.com/network'

const obstacles = [
  ...overlayObstacles(),
  ...Object.values(programs).flatMap((program) =>
    existsSync(program) ? [] : [`${program} is not built: npm run build`],
  ),
]

/** A group of tests that needs root and the built programs. */
export function describeOverlay(name: string, tests: () => void): void {
  describe.skipIf(obstacles.length > 0)(
    obstacles.length > 0 ? `${name} (left out: ${obstacles.join('; ')})` : name,
    tests,
  )
}

export type NetworkConfig = { readonly Network: string; readonly Backend?: unknown; readonly [more: string]: unknown }

export const networkOf = (backend: unknown): NetworkConfig => ({ Network: '10.5.0.0/16', Backend: backend })

/** Hosts, links and a store that holds the configuration; no daemon runs yet. */
export async function openLab(hosts: readonly HostNumber[], config?: NetworkConfig): Promise<OverlayLab> {
  const lab = await openOverlayLab({ hosts, programs })
  if (config !== undefined) await lab.store.put(`${prefix}/config`, JSON.stringify(config))
  return lab
}
