/**
 * The store of a lab: Debian's etcd with its version 2 API, on the lab's bridge for the machines and on a unix socket
 * for whoever looks from the host.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
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
import { LabError } from './errors.ts'
import { hostAddress, type LabNames, storeUrl } from './names.ts'
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
// etcd names the socket after the host and port of its unix address.
const storeSocket = (names: LabNames): string => `${storeFolder(names)}/localhost:2379`

/**
 * Starts the store and resolves when it answers. Data of an earlier start is kept.
 *
 * @throws LabError `lab/timeout`
 */
export async function startStore(host: CgroupHost, names: LabNames): Promise<void> {
  const folder = storeFolder(names)
  mkdirSync(folder, { recursive: true })
  rmSync(storeSocket(names), { force: true })
  createGroup(host, storeGroup(names))
  const log = openSync(`${folder}/etcd.log`, 'a')
  const peerUrl = `http://${hostAddress}:2380`
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
      'etcd',
      '--enable-v2',
      '--name=store',
      `--data-dir=${names.storeDataFolder}`,
      `--listen-client-urls=${storeUrl},unix://localhost:2379`,
      `--advertise-client-urls=${storeUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=store=${peerUrl}`,
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
    what: `the store (see ${folder}/etcd.log)`,
    timeoutMs: 20_000,
    is: (text) => text.includes('true'),
  })
}

/** Ends the store at once, as a crash does. Its data stays. */
export const killStore = (host: CgroupHost, names: LabNames): Promise<void> => killGroup(host, storeGroup(names))

/** Holds the store still: connections stay, nothing answers, its leases wait. */
export const freezeStore = (host: CgroupHost, names: LabNames): Promise<void> => freezeGroup(host, storeGroup(names))

/** Lets it go on. */
export const thawStore = (host: CgroupHost, names: LabNames): Promise<void> => thawGroup(host, storeGroup(names))

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
