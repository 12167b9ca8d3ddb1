/** Machines of process managers for tests: a folder each, the supervisor bundled once, everything ended by PID. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@cluster/daemon/system'
import { silentLogger } from '@cluster/prelude'
import { build } from 'esbuild'
import {
  createProcessUnitManager,
  endProcessSupervisor,
  type ProcessUnitManager,
  type ProcessUnitManagerOptions,
} from '../src/process/process-unit-manager.ts'

export type ProcessWorld = {
  readonly supervisorCommand: readonly [string, string]
  /** A folder for one more manager. */
  readonly newDirectory: () => Promise<string>
  readonly open: (directory: string, options?: Partial<ProcessUnitManagerOptions>) => Promise<ProcessUnitManager>
  /** Stops all units of all folders, ends their supervisors, and takes the folders away. */
  readonly close: () => Promise<void>
}

export async function createProcessWorld(): Promise<ProcessWorld> {
  const root = await mkdtemp(join(tmpdir(), 'process-units-'))
  const script = join(root, 'process-supervisor.mjs')
  // Node 20 does not run TypeScript
  await build({
    entryPoints: [new URL('../src/process/process-supervisor.ts', import.meta.url).pathname],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@cluster/source'],
    sourcemap: 'inline',
  })
  const directories: string[] = []
  const managers: ProcessUnitManager[] = []
  const supervisorCommand = [process.execPath, script] as const
  return {
    supervisorCommand,
    newDirectory: async () => {
      const directory = await mkdtemp(join(root, 'machine-'))
      directories.push(directory)
      return directory
    },
    open: async (directory, options = {}) => {
      const manager = await createProcessUnitManager({
        directory,
        supervisorCommand,
        log: silentLogger,
        clock: systemClock,
        ...options,
      })
      managers.push(manager)
      return manager
    },
    close: async () => {
      // one that is left open by a test that failed would start its supervisor anew
      for (const manager of managers) await manager[Symbol.asyncDispose]()
      await Promise.all(directories.map((directory) => endProcessSupervisor({ directory, clock: systemClock })))
      await rm(root, { recursive: true, force: true })
    },
  }
}
