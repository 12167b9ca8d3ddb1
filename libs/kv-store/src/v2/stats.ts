/** The counters of `/v2/stats/store`, with the quirks of what counts as a success (spec/etcd-v2.md §3.2). */
import type { StoreStats } from './store-port.ts'

/** The counters without `watchers`, which is not counted but looked up. */
export type StoreCounters = { -readonly [Name in Exclude<keyof StoreStats, 'watchers'>]: number }

/** In the order of the snapshot format and of the answer. */
export const counterNames = [
  'getsSuccess',
  'getsFail',
  'setsSuccess',
  'setsFail',
  'deleteSuccess',
  'deleteFail',
  'updateSuccess',
  'updateFail',
  'createSuccess',
  'createFail',
  'compareAndSwapSuccess',
  'compareAndSwapFail',
  'compareAndDeleteSuccess',
  'compareAndDeleteFail',
  'expireCount',
] as const satisfies readonly (keyof StoreCounters)[]

export const createCounters = (): StoreCounters => ({
  getsSuccess: 0,
  getsFail: 0,
  setsSuccess: 0,
  setsFail: 0,
  deleteSuccess: 0,
  deleteFail: 0,
  updateSuccess: 0,
  updateFail: 0,
  createSuccess: 0,
  createFail: 0,
  compareAndSwapSuccess: 0,
  compareAndSwapFail: 0,
  compareAndDeleteSuccess: 0,
  compareAndDeleteFail: 0,
  expireCount: 0,
})
