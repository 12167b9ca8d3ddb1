/** Who is this machine? Two files, read as machine-id(5) and random(4) describe them. */
import { readFile } from 'node:fs/promises'
import { SystemdError } from './errors.ts'

/**
 * The machine ID: 32 lower-case hex digits.
 *
 * @throws SystemdError `systemd/host` when the file cannot be read, is empty, `uninitialized`, or not an ID
 * @see machine-id(5); fleet: surrounding white space is cut off
 */
export async function readMachineId(path = '/etc/machine-id'): Promise<string> {
  const text = await readIdentity(path)
  if (/^[0-9a-f]{32}$/.test(text) && !/^0+$/.test(text)) return text
  const found = text === '' ? 'nothing' : JSON.stringify(text.slice(0, 64))
  throw new SystemdError('systemd/host', `${path} holds ${found}, not 32 lower-case hex digits`, {
    hint: 'run systemd-machine-id-setup; every machine needs an ID of its own',
  })
}

/**
 * The ID of this boot: 32 lower-case hex digits, another after every reboot.
 *
 * @throws SystemdError `systemd/host`
 */
export async function readBootId(path = '/proc/sys/kernel/random/boot_id'): Promise<string> {
  const text = (await readIdentity(path)).replaceAll('-', '')
  if (/^[0-9a-f]{32}$/.test(text)) return text
  throw new SystemdError('systemd/host', `${path} holds ${JSON.stringify(text.slice(0, 64))}, not a boot ID`, {
    hint: 'check that /proc is mounted',
  })
}

async function readIdentity(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new SystemdError('systemd/host', `cannot read ${path}`, {
      hint: 'the cluster tells machines apart by this file; run systemd-machine-id-setup if it is missing',
      cause,
    })
  }
}
