/**
 * Run units through systemd: a port, systemd itself over D-Bus behind it, and an honest fake. Also what a machine says
 * of itself: the journal of a unit, its machine ID and boot ID.
 *
 * Open a manager with `openDbusUnitManager` (or `createFakeSystemd().open()` in tests), `load` a unit, `reload`,
 * `start`; look with `list` whenever `changes` names a unit.
 * @packageDocumentation
 */
export { type DbusUnitManagerOptions, openDbusUnitManager } from './dbus-unit-manager.ts'
export { SystemdError, type SystemdErrorCode } from './errors.ts'
export { createFakeSystemd, type FakeCall, type FakeSystemd } from './fake-systemd.ts'
export { readBootId, readMachineId } from './host.ts'
export { type JournalEntry, type JournalQuery, readJournal } from './journal.ts'
export { manageableTypes, nameProblem } from './manageable-name.ts'
export { type Activity, activityOf, hasEnded, isUp } from './states.ts'
export type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'
