/**
 * Control groups of the lab's parts, on hosts with one hierarchy and on hosts with many.
 * They are what makes a lab killable: whatever a machine starts stays inside its group, so nobody has to guess pids.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { LabError } from './errors.ts'
import { until } from './until.ts'

export type CgroupHost =
  | { readonly kind: 'unified'; readonly roots: readonly string[] }
  /** `freezer` is one of the roots: version 1 freezes in a hierarchy of its own. */
  | { readonly kind: 'hybrid'; readonly roots: readonly string[]; readonly freezer: string }

/**
 * Which hierarchies this host has, from the text of `/proc/self/mounts`.
 *
 * @throws LabError `lab/requirements` when there is none a systemd machine could live in
 */
export function detectCgroups(mounts: string): CgroupHost {
  const entries = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, folder, type, options]) => (folder && type && options ? [{ folder, type, options }] : []))
  const named = (option: string): string | undefined =>
    entries.find(({ type, options }) => type === 'cgroup' && options.split(',').includes(option))?.folder
  const unified = entries.find(({ type }) => type === 'cgroup2')?.folder
  const systemd = named('name=systemd')
  const freezer = named('freezer')
  if (systemd !== undefined && freezer !== undefined) {
    return { kind: 'hybrid', roots: [systemd, ...(unified === undefined ? [] : [unified]), freezer], freezer }
  }
  if (unified !== undefined) return { kind: 'unified', roots: [unified] }
  throw new LabError('lab/requirements', 'no cgroup hierarchy for systemd is mounted', {
    hint: 'the lab needs cgroup2, or the version 1 hierarchies "systemd" and "freezer", under /sys/fs/cgroup',
  })
}

/** The hierarchies of the host that this program runs on. */
export const hostCgroups = (): CgroupHost => detectCgroups(readFileSync('/proc/self/mounts', 'utf8'))

/** The folders of one group, one for each hierarchy. */
export const groupFolders = (host: CgroupHost, group: string): readonly string[] =>
  host.roots.map((root) => `${root}/${group}`)

/** Makes a group in each hierarchy. Does nothing where it exists. */
export function createGroup(host: CgroupHost, group: string): void {
  for (const folder of groupFolders(host, group)) mkdirSync(folder, { recursive: true })
}

/** The pids in a group and in all groups below it. Empty for a group that does not exist. */
export function processesOf(host: CgroupHost, group: string): readonly number[] {
  const pids = new Set<number>()
  for (const folder of groupFolders(host, group)) {
    for (const inner of foldersDeepestFirst(folder)) {
      for (const line of readIfThere(`${inner}/cgroup.procs`).split('\n')) if (line !== '') pids.add(Number(line))
    }
  }
  return [...pids]
}

/** Holds every process of the group still, until `thawGroup`. Resolves when all of them stand. */
export async function freezeGroup(host: CgroupHost, group: string): Promise<void> {
  await setFrozen(host, group, true)
}

/** Lets a frozen group run on. */
export async function thawGroup(host: CgroupHost, group: string): Promise<void> {
  await setFrozen(host, group, false)
}

/** Whether the group is frozen now. */
export function isFrozen(host: CgroupHost, group: string): boolean {
  return host.kind === 'hybrid'
    ? readIfThere(`${host.freezer}/${group}/freezer.state`).trim() !== 'THAWED' &&
        existsSync(`${host.freezer}/${group}/freezer.state`)
    : /^frozen 1$/m.test(readIfThere(`${host.roots[0]}/${group}/cgroup.events`))
}

async function setFrozen(host: CgroupHost, group: string, frozen: boolean): Promise<void> {
  const file =
    host.kind === 'hybrid' ? `${host.freezer}/${group}/freezer.state` : `${host.roots[0]}/${group}/cgroup.freeze`
  if (!existsSync(file)) return
  const word = host.kind === 'hybrid' ? (frozen ? 'FROZEN' : 'THAWED') : frozen ? '1' : '0'
  writeFileSync(file, word)
  // Version 1 may say FREEZING for a while, and needs the word again to look at late children.
  await until(
    () => {
      if (host.kind === 'hybrid' && frozen) writeFileSync(file, word)
      return host.kind === 'hybrid' ? readIfThere(file).trim() : isFrozen(host, group) ? '1' : '0'
    },
    {
      what: `the group ${group} ${frozen ? 'frozen' : 'thawed'}`,
      timeoutMs: 10_000,
      everyMs: 10,
      is: (is) => is === word,
    },
  )
}

/**
 * Ends everything in the group at once and resolves when it is empty.
 *
 * @throws LabError `lab/timeout` naming the pids that would not die
 */
export async function killGroup(host: CgroupHost, group: string): Promise<void> {
  await thawGroup(host, group)
  await until(
    () => {
      const pids = processesOf(host, group)
      for (const pid of pids) killPid(pid)
      return pids
    },
    { what: `no process left in the group ${group}`, timeoutMs: 20_000, everyMs: 20, is: (pids) => pids.length === 0 },
  )
}

/** Removes an empty group with all below it, in each hierarchy. */
export async function removeGroup(host: CgroupHost, group: string): Promise<void> {
  await until(
    () => {
      for (const folder of groupFolders(host, group)) for (const inner of foldersDeepestFirst(folder)) rmdirSync(inner)
      return true
    },
    // A group stays busy for a moment after its last process.
    { what: `the group ${group} removed`, timeoutMs: 10_000, everyMs: 20, is: (done) => done },
  )
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself between the look and the kill.
  }
}

function foldersDeepestFirst(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return [
    ...readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => foldersDeepestFirst(`${folder}/${entry.name}`)),
    folder,
  ]
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
