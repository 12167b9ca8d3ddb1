/** What the lab needs of its host, and which of it is missing. */
import { accessSync, constants } from 'node:fs'
import { delimiter } from 'node:path'
import { runCommand } from './command.ts'
import { LabError } from './errors.ts'
import type { StoreKind } from './store-program.ts'

/** The programs that the lab calls, with the Debian package that has each. */
export const programs: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  fallocate: 'util-linux',
}

/** What the lab calls besides when Debian's etcd is its store. */
export const etcdPrograms: Readonly<Record<string, string>> = { etcd: 'etcd-server' }

export type HostFacts = {
  readonly platform: string
  readonly isRoot: boolean
  readonly hasProgram: (name: string) => boolean
}

/** What is missing on a host, one line each with its remedy. Empty when the lab can run there. */
export function missingRequirements(
  { platform, isRoot, hasProgram }: HostFacts,
  store: StoreKind = 'kvd',
): readonly string[] {
  if (platform !== 'linux') {
    return [
      `the lab boots systemd machines and needs Linux; this is ${platform}: use a Debian machine or virtual machine`,
    ]
  }
  const needed = store === 'etcd' ? { ...etcdPrograms, ...programs } : programs
  const missing = Object.keys(needed).filter((name) => !hasProgram(name))
  const packages = [...new Set(missing.flatMap((name) => needed[name] ?? []))]
  return [
    ...(isRoot ? [] : ['the lab makes network namespaces, cgroups and machines and needs root: run it with sudo']),
    ...(missing.length === 0
      ? []
      : [`missing: ${missing.join(', ')}: apt-get install -y --no-install-recommends ${packages.join(' ')}`]),
  ]
}

/** The facts of the host that this program runs on. */
export function hostFacts(): HostFacts {
  // A user's PATH often lacks sbin, where debootstrap lives.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  const isExecutable = (file: string): boolean => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return {
    platform: process.platform,
    isRoot: process.geteuid?.() === 0,
    hasProgram: (name) => folders.some((folder) => folder !== '' && isExecutable(`${folder}/${name}`)),
  }
}

/**
 * Ends with one error that names everything missing.
 *
 * @throws LabError `lab/requirements`
 */
export async function checkRequirements(store: StoreKind = 'kvd', facts: HostFacts = hostFacts()): Promise<void> {
  const missing = missingRequirements(facts, store)
  if (missing.length > 0)
    throw new LabError('lab/requirements', `this host cannot run the lab:\n  ${missing.join('\n  ')}`)
  const rights = await runCommand('unshare', ['--net', '--mount', 'true'])
  if (rights.code !== 0) {
    throw new LabError(
      'lab/requirements',
      `this root may not make namespaces (${rights.stderr.trim() || `unshare ended with code ${rights.code}`})`,
      { hint: 'in a container: start it privileged, or use a virtual machine' },
    )
  }
}
