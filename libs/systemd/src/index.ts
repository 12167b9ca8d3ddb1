/**
 * Run units through systemd: a port, systemd itself over D-Bus behind it, processes of our own where the init is not
 * systemd, and an honest fake. Also what a machine says of itself: the journal of a unit, its machine ID and boot ID.
 *
 * Open a manager with `openDbusUnitManager` or `createProcessUnitManager` (`createFakeSystemd().open()` in tests),
 * `load` a unit, `reload`, `start`; look with `list` whenever `changes` names a unit.
 * @packageDocumentation
 */
export { type DbusUnitManagerOptions, openDbusUnitManager } from './dbus-unit-manager.ts'
export { SystemdError, type SystemdErrorCode } from './errors.ts'
export { createFakeSystemd, type FakeCall, type FakeSystemd } from './fake-systemd.ts'
export { readBootId, readMachineId } from './host.ts'
export { type JournalEntry, type JournalQuery, readJournal } from './journal.ts'
export { manageableTypes, nameProblem } from './manageable-name.ts'
export type { HostIdentity } from './process/host-specifiers.ts'
export { type ProcessJournalQuery, readProcessJournal } from './process/process-journal.ts'
export {
  createProcessUnitManager,
  endProcessSupervisor,
  type ProcessUnitManager,
  type ProcessUnitManagerOptions,
} from './process/process-unit-manager.ts'
export { runProcessSupervisor } from './process/run-supervisor.ts'
export { type Activity, activityOf, hasEnded, isUp } from './states.ts'
export type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'
