/**
 * The store of a lab: our kvd, or Debian's etcd with its version 2 API, on the lab's bridge for the machines and on a
 * unix socket for whoever looks from the host.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CgroupHost,
  createGroup,
  freezeGroup,
  groupFolders,
  isFrozen,
  killGroup,
  processesOf,
  thawGroup,
} from './cgroups.ts'
import { runOrThrow } from './command.ts'
import { LabError } from './errors.ts'
import { isMounted } from './mounts.ts'
import { hostAddress, type LabNames, storeUrl } from './names.ts'
import type { StoreProgram } from './store-program.ts'
import { type UnixResponse, unixRequest } from './unix-http.ts'
import { until } from './until.ts'

/** One key of the store, as its API shows it. */
export type StoreNode = {
  /** Absent on the store's root. */
  readonly key?: string
  readonly value?: string
  readonly dir?: boolean
  /** Seconds left. */
  readonly ttl?: number
  readonly modifiedIndex?: number
  readonly nodes?: readonly StoreNode[]
}

const storeGroup = (names: LabNames): string => `${names.cgroup}/store`
const storeFolder = (names: LabNames): string => `${names.runtimeFolder}/store`
// etcd names the socket after the host and port of its unix address; ours takes any path.
const storeSocket = (names: LabNames): string => `${storeFolder(names)}/localhost:2379`
const ballast = (names: LabNames): string => `${names.storeDiskFolder}/ballast`

/** The size of the store's own disk: room for logs of either store, and little enough to be filled in a test. */
const diskSize = '1g'

/**
 * Starts the store and resolves when it answers. Data of an earlier start is kept.
 *
 * @throws LabError `lab/timeout`
 */
export async function startStore(host: CgroupHost, names: LabNames, program: StoreProgram): Promise<void> {
  const folder = storeFolder(names)
  mkdirSync(folder, { recursive: true })
  await mountDisk(names)
  rmSync(storeSocket(names), { force: true })
  createGroup(host, storeGroup(names))
  const log = openSync(`${folder}/${program.kind}.log`, 'a')
  const script = `while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"`
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      script,
      'store',
      ...groupFolders(host, storeGroup(names)),
      '--',
      'nsenter',
      `--net=${names.networkFile}`,
      ...commandOf(names, program),
    ],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] ?? '/usr/bin', ETCD_UNSUPPORTED_ARCH: process.arch },
    },
  )
  child.on('error', () => undefined)
  child.unref()
  closeSync(log)
  await until(async () => (await storeRequest(names, 'GET', '/health')).text, {
    what: `the store (see ${folder}/${program.kind}.log)`,
    timeoutMs: 20_000,
    is: (text) => text.includes('true'),
  })
}

/** The words that start the store, the same for both but for who runs them. */
function commandOf(names: LabNames, program: StoreProgram): readonly string[] {
  const peerUrl = `http://${hostAddress}:2380`
  const flags = (unixUrl: string): readonly string[] => [
    '--name=store',
    `--data-dir=${names.storeDiskFolder}/data`,
    `--listen-client-urls=${storeUrl},${unixUrl}`,
    `--advertise-client-urls=${storeUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=store=${peerUrl}`,
  ]
  switch (program.kind) {
    case 'kvd':
      return [process.execPath, program.file, ...flags(`unix://${storeSocket(names)}`)]
    case 'etcd':
      return ['etcd', '--enable-v2', ...flags('unix://localhost:2379')]
    default:
      return program satisfies never
  }
}

/**
 * A disk of the store's own, in memory: both stores wait for the disk on each write, and a host's busy one would pass
 * for a slow store. It outlives the store's crashes, not the lab.
 */
async function mountDisk(names: LabNames): Promise<void> {
  mkdirSync(names.storeDiskFolder, { recursive: true })
  if (isMounted(names.storeDiskFolder)) return
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', `size=${diskSize},mode=0700`, 'cluster-lab', names.storeDiskFolder])
}

/** Takes the disk away with all on it. Nothing may use it any more. */
export async function removeStoreDisk(names: LabNames): Promise<void> {
  while (isMounted(names.storeDiskFolder)) await runOrThrow('umount', [names.storeDiskFolder])
  rmSync(names.storeDiskFolder, { recursive: true, force: true })
}

/** Fills the store's disk to the last byte. */
export async function fillStoreDisk(names: LabNames): Promise<void> {
  const { bavail, bsize } = statfsSync(names.storeDiskFolder)
  if (bavail > 0) await runOrThrow('fallocate', ['--length', String(bavail * bsize), ballast(names)])
}

/** Gives the store its room back. */
export function freeStoreDisk(names: LabNames): void {
  rmSync(ballast(names), { force: true })
}

/** Ends the store in order and resolves when it has ended. Its data stays. */
export async function stopStore(host: CgroupHost, names: LabNames): Promise<void> {
  await thawGroup(host, storeGroup(names))
  for (const pid of processesOf(host, storeGroup(names))) process.kill(pid, 'SIGTERM')
  await until(() => processesOf(host, storeGroup(names)), {
    what: 'the store ended',
    timeoutMs: 20_000,
    everyMs: 20,
    is: (pids) => pids.length === 0,
  })
}

/** Ends the store at once, as a crash does. Its data stays. */
export const killStore = (host: CgroupHost, names: LabNames): Promise<void> => killGroup(host, storeGroup(names))

/** Holds the store still: connections stay, nothing answers, its leases wait. */
export const freezeStore = (host: CgroupHost, names: LabNames): Promise<void> => freezeGroup(host, storeGroup(names))

/** Lets it go on. */
export const thawStore = (host: CgroupHost, names: LabNames): Promise<void> => thawGroup(host, storeGroup(names))

/**
 * Holds the store still nine tenths of the time, until the signal fires: a delay of packets would need a kernel module.
 * Resolves when it runs freely again.
 */
export async function slowStore(host: CgroupHost, names: LabNames, signal: AbortSignal): Promise<void> {
  const holdMs = 270
  const runMs = 30
  while (!signal.aborted) {
    await freezeStore(host, names)
    await delay(holdMs)
    await thawStore(host, names)
    await delay(runMs)
  }
}

/** `up`, `frozen` or `down`. */
export function storeCondition(host: CgroupHost, names: LabNames): 'up' | 'frozen' | 'down' {
  if (processesOf(host, storeGroup(names)).length === 0) return 'down'
  return isFrozen(host, storeGroup(names)) ? 'frozen' : 'up'
}

/** One request to the store's API, from the host. `form` becomes a form body. */
export function storeRequest(
  names: LabNames,
  method: string,
  path: string,
  form?: Readonly<Record<string, string>>,
): Promise<UnixResponse> {
  const body = form === undefined ? undefined : new URLSearchParams(form).toString()
  const type = form === undefined ? undefined : 'application/x-www-form-urlencoded'
  return unixRequest(storeSocket(names), { method, path, body, type })
}

/**
 * The key or folder with all below it, or undefined where there is none.
 *
 * @throws LabError `lab/command-failed` when the store answers anything else
 */
export async function readKey(names: LabNames, key: string): Promise<StoreNode | undefined> {
  const response = await storeRequest(names, 'GET', `/v2/keys${encodeURI(key)}?recursive=true&quorum=true`)
  if (response.status === 404) return undefined
  const answer: unknown = JSON.parse(response.text)
  if (typeof answer === 'object' && answer !== null && 'node' in answer && isStoreNode(answer.node)) return answer.node
  throw new LabError('lab/command-failed', `the store answered ${response.status} to GET ${key}: ${response.text}`)
}

/** All values below a key, by key. */
export async function readValues(names: LabNames, key: string): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  const visit = (node: StoreNode): void => {
    if (node.dir !== true) values.set(node.key ?? '/', node.value ?? '')
    for (const child of node.nodes ?? []) visit(child)
  }
  const node = await readKey(names, key)
  if (node !== undefined) visit(node)
  return values
}

/** Puts a value under a key, whatever was there. */
export async function putKey(names: LabNames, key: string, value: string): Promise<void> {
  const response = await storeRequest(names, 'PUT', `/v2/keys${encodeURI(key)}`, { value })
  if (response.status >= 300) {
    throw new LabError('lab/command-failed', `the store answered ${response.status} to PUT ${key}: ${response.text}`)
  }
}

/** Deletes a key or a folder with all below it. */
export async function deleteKey(names: LabNames, key: string): Promise<void> {
  await storeRequest(names, 'DELETE', `/v2/keys${encodeURI(key)}?recursive=true`)
}

const isStoreNode = (value: unknown): value is StoreNode =>
  typeof value === 'object' && value !== null && ('key' in value || 'dir' in value)
