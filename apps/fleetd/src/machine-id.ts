/** Which machine is this? Its own identity where it was given one, else that of the computer. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '@cluster/fleet'
import { isClusterError } from '@cluster/prelude'
import { readMachineId } from '@cluster/systemd'
import type { FleetdConfig } from './config.ts'

const defaultStateDirectory = '/var/lib/fleet'

/**
 * `machine_id`; with a `state_dir` the identity kept there, made at the first start; else /etc/machine-id. Where that is
 * missing and systemd does not run the units (a container, say), one is kept in /var/lib/fleet.
 *
 * @throws SystemdError `systemd/host`
 * @throws FleetError `fleet/local-record` when the identity cannot be kept
 */
export async function chooseMachineId(
  { machineId, stateDir, unitManager }: Pick<FleetdConfig, 'machineId' | 'stateDir' | 'unitManager'>,
  systemPath = '/etc/machine-id',
  fallbackDirectory = defaultStateDirectory,
): Promise<string> {
  if (machineId !== '') return machineId
  if (stateDir !== '') return keepMachineId(stateDir)
  try {
    return await readMachineId(systemPath)
  } catch (error) {
    if (unitManager === 'process' && isClusterError(error, 'systemd/host')) return keepMachineId(fallbackDirectory)
    throw error
  }
}

/** The identity in a folder. Of two that make one at the same time, the first counts for both. */
async function keepMachineId(directory: string): Promise<string> {
  const path = join(directory, 'machine-id')
  const own = `${path}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(directory, { recursive: true })
    await writeFile(own, `${randomBytes(16).toString('hex')}\n`, { mode: 0o644 })
    try {
      // Appears with its text, or not at all; never in place of another.
      await link(own, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      await rm(own, { force: true })
    }
    return await readMachineId(path)
  } catch (cause) {
    throw new FleetError('fleet/local-record', `the identity of this machine cannot be kept in ${path}`, {
      hint: 'let state_dir name a folder that this user may write to, or give machine_id; remove a damaged file',
      cause,
    })
  }
}
