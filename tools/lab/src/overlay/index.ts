/**
 * A small overlay in network namespaces of this process: hosts with flanneld, containers behind them, a router with the
 * store. For tests, recorded cases and benchmarks.
 * @packageDocumentation
 */
export { type Namespace, openNamespace } from './namespace.ts'
export type { OverlayHost } from './overlay-host.ts'
export {
  addressOf,
  type HostNumber,
  hostNumbers,
  type OverlayLab,
  type OverlayLabOptions,
  openOverlayLab,
  overlayObstacles,
  overlayPrograms,
} from './overlay-lab.ts'
export { type PingAnswer, type PingCount, ping, startPings } from './ping.ts'
export { type RunningProgram, startProgram } from './running-program.ts'
export { type Datagram, seenSource } from './seen-source.ts'
export { type OverlayStore, overlayStoreUrl, type StoredKey } from './store.ts'
export { type Transfer, transfer } from './transfer.ts'
