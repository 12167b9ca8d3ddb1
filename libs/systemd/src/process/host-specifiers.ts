/** What `%` specifiers say of this machine, as far as an ordinary program can tell. spec/unit-files.md §6. */
import { existsSync, readFileSync } from 'node:fs'
import { arch, homedir, hostname, release, tmpdir, userInfo } from 'node:os'
import { parseEnvironmentFile, type SpecifierContext } from '@cluster/unit-file'
import { nameOfId } from './accounts.ts'

/** Values that a caller sets itself, such as the machine ID of one of several managers on this machine. */
export type HostIdentity = {
  /** 32 hex digits. Default: /etc/machine-id, or zeros. */
  readonly machineId?: string
  readonly hostName?: string
}

const architectures: Readonly<Record<string, string>> = { x64: 'x86-64', ia32: 'x86', ppc64: 'ppc64-le' }

/** @param directory the manager's: state, cache, logs and run time of units that ask for a path lie in it */
export function readSpecifiers(identity: HostIdentity, directory: string): SpecifierContext {
  const user = userInfo()
  const osRelease = ['/etc/os-release', '/usr/lib/os-release'].find((path) => existsSync(path))
  return {
    scope: user.uid === 0 ? 'system' : 'user',
    architecture: architectures[arch()] ?? arch(),
    machineId: identity.machineId ?? readId('/etc/machine-id'),
    bootId: readId('/proc/sys/kernel/random/boot_id'),
    hostName: identity.hostName ?? hostname(),
    kernelRelease: release(),
    osRelease: osRelease === undefined ? {} : Object.fromEntries(parseEnvironmentFile(readText(osRelease)).environment),
    user: user.username,
    uid: user.uid,
    group: nameOfId('group', user.gid) ?? String(user.gid),
    gid: user.gid,
    home: homedir(),
    shell: user.shell ?? '/bin/sh',
    runtimeDir: `${directory}/runtime`,
    stateDir: `${directory}/var/lib`,
    cacheDir: `${directory}/var/cache`,
    logsDir: `${directory}/var/log`,
    configDir: user.uid === 0 ? '/etc' : `${homedir()}/.config`,
    tmpDir: tmpdir(),
    varTmpDir: '/var/tmp',
    credentialsDir: `${directory}/credentials`,
  }
}

const noId = '0'.repeat(32)

function readId(path: string): string {
  const id = readText(path).trim().replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(id) ? id : noId
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
