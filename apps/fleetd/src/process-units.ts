/** Units as processes of our own (`unit_manager = process`). */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '@cluster/fleet'
import type { Clock, Logger } from '@cluster/prelude'
import { createProcessUnitManager, type ProcessUnitManager } from '@cluster/systemd'
import type { FleetdConfig } from './config.ts'

export type ProcessUnitsSettings = {
  /** Of this machine: what `%m` says, and by what fleetctl finds the logs of its units. */
  readonly id: string
  /** Where the built file of the supervisor lies. */
  readonly programFolder: string
  readonly log: Logger
  readonly clock: Clock
}

/**
 * Connects to the supervisor of `process_dir`, or starts it, and notes whose units these are: fleetctl on this computer
 * reads `machine-id` there.
 *
 * @throws SystemdError `systemd/unavailable`, `systemd/directory`
 * @throws FleetError `fleet/local-record`
 */
export async function openProcessUnits(
  { processDir, processEnvironment, hostName }: Pick<FleetdConfig, 'processDir' | 'processEnvironment' | 'hostName'>,
  { id, programFolder, log, clock }: ProcessUnitsSettings,
): Promise<ProcessUnitManager> {
  const units = await createProcessUnitManager({
    directory: processDir,
    supervisorCommand: [process.execPath, join(programFolder, 'fleetd-supervisor.cjs')],
    identity: { machineId: id, ...(hostName === '' ? {} : { hostName }) },
    environment: Object.fromEntries(processEnvironment),
    log,
    clock,
  })
  const path = join(processDir, 'machine-id')
  try {
    await writeFile(path, `${id}\n`, { mode: 0o600 })
  } catch (cause) {
    await units[Symbol.asyncDispose]()
    throw new FleetError('fleet/local-record', `${path} cannot be written`, {
      hint: 'check the space on its disk, and that process_dir belongs to this user',
      cause,
    })
  }
  return units
}
