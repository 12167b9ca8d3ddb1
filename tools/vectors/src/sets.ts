/** The sets that can be run, by name. */
import { corpus } from './sets/corpus.ts'
import { dropins } from './sets/dropins.ts'
import { etcdV2 } from './sets/etcd-v2.ts'
import { etcdctlV2 } from './sets/etcdctl-v2.ts'
import { execLines } from './sets/exec-lines.ts'
import { flannelAllocator } from './sets/flannel-allocator.ts'
import { flannelConfig } from './sets/flannel-config.ts'
import { flannelLab } from './sets/flannel-lab.ts'
import { fleetAgent } from './sets/fleet-agent.ts'
import { fleetScheduler } from './sets/fleet-scheduler.ts'
import { specifiers } from './sets/specifiers.ts'
import { unitNames } from './sets/unit-names.ts'
import { unitSyntax } from './sets/unit-syntax.ts'
import { unitValues } from './sets/unit-values.ts'
import { xfleetOptions } from './sets/xfleet-options.ts'
import type { VectorSet } from './vector-set.ts'

export const vectorSets: readonly VectorSet[] = [
  unitSyntax,
  unitValues,
  execLines,
  unitNames,
  specifiers,
  dropins,
  xfleetOptions,
  fleetScheduler,
  fleetAgent,
  flannelConfig,
  flannelAllocator,
  etcdV2,
  etcdctlV2,
  flannelLab,
  corpus,
]
