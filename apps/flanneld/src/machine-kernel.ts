/** The kernel of this machine, with the packet filter that was asked for. */
import { systemClock } from '@cluster/daemon'
import { openKernel } from '@cluster/linux-net'
import type { Kernel } from '@cluster/linux-net/state'
import type { FlanneldConfig } from './config.ts'

/** A port of its own for each network, since one knows one ownership. */
export const openMachineKernel = ({ filter }: Pick<FlanneldConfig, 'filter'>): Promise<Kernel> =>
  openKernel({ clock: systemClock, ...(filter === 'auto' ? {} : { filterMode: filter }) })
