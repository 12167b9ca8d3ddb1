/**
 * Run units through systemd.
 * @packageDocumentation
 */
export { SystemdError, type SystemdErrorCode } from './errors.ts'
export type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'
