/** alloc: subnets are given out, nobody moves packets. spec/flannel.md §7.4 */
import { emptyState } from '@cluster/linux-net/state'
import type { Backend } from './backend.ts'

/** The alloc backend. */
export function createAlloc(): Backend {
  return {
    type: 'alloc',
    leaseType: '',
    mtu: (linkMtu) => linkMtu,
    problemWith: () => undefined,
    data: () => undefined,
    link: () => undefined,
    read: () => ({ kind: 'unusable', reason: 'the alloc backend moves no packets' }),
    direct: () => undefined,
    desired: () => emptyState,
  }
}
