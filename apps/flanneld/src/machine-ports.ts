/** What of the world outside the commands reach that find things out by themselves. Loaded when it is needed. */
import type { FindExternal } from '@cluster/flannel'
import type { Kv } from '@cluster/kv'
import type { Kernel } from '@cluster/linux-net/state'
import { silentLogger } from '@cluster/prelude'
import type { FlanneldConfig, StoreConfig } from './config.ts'

export type MachinePorts = {
  readonly openStore: (config: StoreConfig) => Promise<Kv & AsyncDisposable>
  readonly openKernel: (config: Pick<FlanneldConfig, 'filter'>) => Promise<Kernel>
  readonly findExternal: (config: Pick<FlanneldConfig, 'external'>) => FindExternal
}

/** This machine, and the store that it is told of. */
export const machinePorts: MachinePorts = {
  openStore: async (config) => (await import('./open-store.ts')).openStore(config, silentLogger),
  openKernel: async (config) => (await import('./machine-kernel.ts')).openMachineKernel(config),
  findExternal: (config) => async (signal) =>
    (await import('./external.ts')).createFindExternal(config, silentLogger)(signal),
}
