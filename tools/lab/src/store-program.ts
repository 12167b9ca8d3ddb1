/** Which program serves a lab's store: our own, or Debian's etcd, which the scenarios are held against. */
import { LabError } from './errors.ts'
import type { LabEnvironment } from './names.ts'

export type StoreKind = 'kvd' | 'etcd'

export type StoreProgram =
  /** `file` is the built program, with its worker beside it. */
  { readonly kind: 'kvd'; readonly file: string } | { readonly kind: 'etcd' }

/**
 * The store that the environment asks for (`CLUSTER_LAB_STORE`); kvd when it asks for none.
 *
 * @throws LabError `lab/bad-name`
 */
export function storeKind(environment: LabEnvironment): StoreKind {
  const asked = environment['CLUSTER_LAB_STORE'] || 'kvd'
  if (asked === 'kvd' || asked === 'etcd') return asked
  throw new LabError('lab/bad-name', `"${asked}" is not a store of the lab`, {
    hint: "CLUSTER_LAB_STORE takes kvd, which is ours, or etcd, which is Debian's",
  })
}
