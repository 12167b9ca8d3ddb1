/**
 * A cluster on this computer alone: a store and three fleetd, each with folders, socket and units of its own below one
 * temporary folder. No root, no systemd; the units are processes. What is left of it after `takeDownLocal` is nothing.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { LabError } from './errors.ts'
import { killMarked, type Mark, markedProcesses } from './marked-processes.ts'
import type { Progress } from './progress.ts'
import { unixRequest } from './unix-http.ts'
import { until } from './until.ts'

/** Built programs, and the folder of the example units. */
export type LocalPrograms = {
  readonly fleetd: string
  readonly fleetctl: string
  readonly kvd: string
  readonly examples: string
}

/** One machine of the cluster: a fleetd, its supervisor and its units. */
export type LocalMachine = {
  readonly name: string
  /** Everything of the machine lies in it. */
  readonly folder: string
  /** A loopback address that no other machine of the cluster has. */
  readonly address: string
  readonly socket: string
  /** fleetd's `process_dir`. */
  readonly processFolder: string
}

export type LocalCluster = {
  readonly folder: string
  readonly machines: readonly LocalMachine[]
  /** Where the store serves etcd's v2 API. */
  readonly storeUrl: string
}

const clusterMark = (folder: string): Mark => ['CLUSTER_DEMO', folder]
const machineMark = ({ folder }: LocalMachine): Mark => ['CLUSTER_DEMO_MACHINE', folder]

/** Longer, and the sockets below it have no room in the kernel's 107 bytes. */
const folderLengthMax = 80

/** A new folder for a cluster. */
export function makeLocalFolder(): string {
  if (process.platform !== 'linux') {
    throw new LabError('lab/requirements', `units run as processes only on Linux; this is ${process.platform}`, {
      hint: 'run it in a container with Node: docker run -it -v "$PWD":/cluster -w /cluster node:20 npm start',
    })
  }
  const place = tmpdir().length > folderLengthMax ? '/tmp' : tmpdir()
  return mkdtempSync(join(place, 'cluster-demo-'))
}

/**
 * Starts the cluster and resolves when every fleetd lists all machines. The caller takes it down, also when this fails.
 *
 * @throws LabError `lab/not-built`, `lab/command-failed`, `lab/timeout`
 */
export async function bringUpLocal(
  folder: string,
  programs: LocalPrograms,
  progress: Progress,
  signal: AbortSignal,
): Promise<LocalCluster> {
  for (const file of [programs.fleetd, programs.fleetctl, programs.kvd]) {
    if (!existsSync(file))
      throw new LabError('lab/not-built', `${file} is missing`, { hint: 'build it: npm run build' })
  }
  const places = ['a', 'b', 'c'].map((zone, index) => ({
    zone,
    disk: zone === 'c' ? 'hdd' : 'ssd',
    address: `127.0.0.${101 + index}`,
    name: `node${index + 1}`,
  }))
  const [storePort = 0, ...ports] = await freePorts(['127.0.0.1', ...places.map(({ address }) => address)])
  const storeUrl = `http://127.0.0.1:${storePort}`
  const machines = places.map(({ name, address, zone, disk }, index): LocalMachine => {
    const machine = {
      name,
      address,
      folder: join(folder, name),
      socket: join(folder, name, 'fleet.sock'),
      processFolder: join(folder, name, 'process'),
    }
    mkdirSync(machine.folder)
    const metadata = `zone=${zone},disk=${disk}`
    writeFileSync(
      configurationOf(machine),
      renderConfiguration(machine, { storeUrl, metadata, port: ports[index] ?? 0 }),
    )
    return machine
  })
  const cluster = { folder, machines, storeUrl }
  writeForPeople(cluster, programs)

  let startMs = performance.now()
  const took = (): string => `${((performance.now() - startMs) / 1000).toFixed(1)} s`
  progress.step('store …')
  const store = start(programs.kvd, storeArguments(folder, storeUrl), join(folder, 'kvd.log'), { folder })
  await untilUp(() => isStoreUp(storeUrl), 'the store answering', store, signal)
  progress.done(`store: kvd at ${storeUrl}, answers after ${took()}`)

  startMs = performance.now()
  progress.step('fleetd …')
  const daemons = machines.map((machine) => ({ machine, started: startMachine(cluster, machine, programs) }))
  for (const { machine, started } of daemons) {
    const listsAll = async (): Promise<boolean> => (await listedMachines(machine)).length === machines.length
    await untilUp(listsAll, `fleetd of ${machine.name} listing ${machines.length} machines`, started, signal)
  }
  progress.done(`fleetd: each lists ${machines.length} machines after ${took()}`)
  return cluster
}

/** A machine's processes, all of them, are gone at once. Nothing is left to say good-bye. */
export async function loseMachine(machine: LocalMachine): Promise<void> {
  if (markedProcesses(machineMark(machine)).length === 0) {
    throw new LabError('lab/machine-down', `${machine.name} is down already`)
  }
  await killMarked(machineMark(machine))
}

/** Starts a machine again as after a boot: it is who it was, and nothing runs on it. */
export function returnMachine(cluster: LocalCluster, machine: LocalMachine, programs: LocalPrograms): Started {
  if (markedProcesses(machineMark(machine)).length > 0) {
    throw new LabError('lab/already-up', `${machine.name} is up`, { hint: 'lose it first' })
  }
  rmSync(machine.processFolder, { recursive: true, force: true })
  return startMachine(cluster, machine, programs)
}

/** Ends every process of a cluster and removes its folder. */
export async function takeDownLocal(folder: string): Promise<void> {
  await killMarked(clusterMark(folder))
  rmSync(folder, { recursive: true, force: true })
}

/** The cluster in a folder, as far as its machines are concerned. */
export function openLocal(folder: string): LocalCluster {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, 'cluster.json'), 'utf8'))
    if (isCluster(parsed)) return parsed
  } catch (cause) {
    throw new LabError('lab/not-up', `there is no cluster in ${folder}`, { hint: 'start one: npm start', cause })
  }
  throw new LabError('lab/damaged-state', `${folder}/cluster.json does not describe a cluster`, {
    hint: 'start another: npm start',
  })
}

const isCluster = (value: unknown): value is LocalCluster =>
  typeof value === 'object' &&
  value !== null &&
  'folder' in value &&
  'storeUrl' in value &&
  'machines' in value &&
  Array.isArray(value.machines)

/** What a program must be given to speak with this cluster: fleetctl by its variables, others by those of the store. */
export const fleetctlEnvironment = ({ machines }: LocalCluster, { socket }: LocalMachine): Record<string, string> => ({
  ...cleanEnvironment(),
  FLEETCTL_ENDPOINT: `unix://${socket}`,
  FLEETCTL_PROCESS_DIR: machines.map(({ processFolder }) => processFolder).join(','),
})

/** The IDs of machines that a machine's fleetd lists. */
export async function listedMachines(machine: LocalMachine): Promise<readonly string[]> {
  return namesIn(await fleetGet(machine, '/fleet/v1/machines'), 'machines', 'id')
}

/** IDs of the machines on which the unit is active, as a machine's fleetd has heard. */
export async function activeOn(asked: LocalMachine, unit: string): Promise<readonly string[]> {
  const answer = await fleetGet(asked, `/fleet/v1/state?unitName=${encodeURIComponent(unit)}`)
  return namesIn(answer, 'states', 'machineID', (state) => state['systemdActiveState'] === 'active')
}

/** fleetd's machine ID; only known once it has started. */
export const machineIdOf = ({ folder }: LocalMachine): string =>
  readFileSync(join(folder, 'state', 'machine-id'), 'utf8').trim()

/** When a machine's process manager last said that it had started the unit, in milliseconds since 1970. */
export function startedAtMs({ processFolder }: LocalMachine, unit: string): number | undefined {
  const path = join(processFolder, 'journal', unit, 'current')
  if (!existsSync(path)) return undefined
  const times = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"message":"${unit}: Started."`))
    .map((line): unknown => JSON.parse(line))
    .map((entry) => (isRecord(entry) && typeof entry['timeMs'] === 'number' ? entry['timeMs'] : undefined))
  return times.at(-1)
}

async function fleetGet({ socket }: LocalMachine, path: string): Promise<unknown> {
  const { text } = await unixRequest(socket, { path })
  return JSON.parse(text)
}

function namesIn(
  answer: unknown,
  list: string,
  field: string,
  isWanted: (entry: Record<string, unknown>) => boolean = () => true,
): readonly string[] {
  const entries = isRecord(answer) ? answer[list] : undefined
  if (!Array.isArray(entries)) return []
  return entries.flatMap((entry: unknown) => {
    const name = isRecord(entry) && isWanted(entry) ? entry[field] : undefined
    return typeof name === 'string' ? [name] : []
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const configurationOf = ({ folder }: LocalMachine): string => join(folder, 'fleet.conf')

/** Where a unit finds `node`, and what else a computer has. */
const searchPath = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`

function renderConfiguration(
  machine: LocalMachine,
  { storeUrl, metadata, port }: { readonly storeUrl: string; readonly metadata: string; readonly port: number },
): string {
  const { folder, name, address, socket, processFolder } = machine
  const marks = [clusterMark(dirname(folder)), machineMark(machine)]
  const variables = [
    ['PATH', searchPath],
    ['CLUSTER_STORE', storeUrl],
    ['CLUSTER_ADDRESS', address],
    ['CLUSTER_PORT', String(port)],
    ...marks,
  ].map(([variable, value]) => `${variable}=${value}`)
  return [
    `etcd_servers = "${storeUrl}"`,
    `public_ip = "${address}"`,
    `metadata = "${metadata}"`,
    `host_name = "${name}"`,
    `state_dir = "${folder}/state"`,
    `listen = "unix://${socket}"`,
    'unit_manager = "process"',
    `process_dir = "${processFolder}"`,
    `process_environment = "${variables.join(',')}"`,
    '',
  ].join('\n')
}

const storeArguments = (folder: string, url: string): readonly string[] => [
  '--name=demo',
  `--data-dir=${folder}/store`,
  `--listen-client-urls=${url}`,
  `--advertise-client-urls=${url}`,
]

const startMachine = (cluster: LocalCluster, machine: LocalMachine, programs: LocalPrograms): Started =>
  start(programs.fleetd, ['--config', configurationOf(machine)], join(machine.folder, 'fleetd.log'), {
    folder: cluster.folder,
    machine,
  })

/** A daemon that was started; `ended` once it is no more. */
export type Started = { readonly what: string; readonly logPath: string; readonly hasEnded: () => boolean }

function start(
  program: string,
  args: readonly string[],
  logPath: string,
  { folder, machine }: { readonly folder: string; readonly machine?: LocalMachine },
): Started {
  const marks = [clusterMark(folder), ...(machine === undefined ? [] : [machineMark(machine)])]
  const log = openSync(logPath, 'a')
  try {
    // A session of its own: Ctrl-C on this terminal is ours to act on.
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...cleanEnvironment(), ...Object.fromEntries(marks) },
    })
    let hasEnded = false
    const end = (): void => {
      hasEnded = true
    }
    child.on('error', end)
    child.on('exit', end)
    child.unref()
    return { what: `${program} ${args.join(' ')}`, logPath, hasEnded: () => hasEnded }
  } finally {
    closeSync(log)
  }
}

/** Waits for a daemon; one that has ended is not waited for. */
async function untilUp(
  look: () => Promise<boolean>,
  what: string,
  started: Started,
  signal: AbortSignal,
): Promise<void> {
  const seen = await until(async () => (started.hasEnded() ? 'ended' : (await look()) ? 'up' : 'not yet'), {
    what,
    timeoutMs: 20_000,
    everyMs: 25,
    is: (state) => state !== 'not yet',
    signal,
  })
  if (seen === 'up') return
  throw new LabError('lab/command-failed', `${started.what} ended at once`, { hint: lastWords(started.logPath) })
}

/** The end of a log, for an error: the log itself goes with its folder. */
export function lastWords(logPath: string): string {
  try {
    return `${basename(logPath)} ends: ${readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-5).join('\n')}`
  } catch {
    return `${logPath} cannot be read`
  }
}

async function isStoreUp(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) })
  return answer.ok && (await answer.text()).includes('true')
}

/** Ours without what would configure the daemons behind our back, or make them talk to a service manager. */
const cleanEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(FLEET|ETCD|KVD|LISTEN_|NOTIFY_SOCKET$|WATCHDOG_|NODE_OPTIONS$)/.test(name)
        ? []
        : [[name, value] as const],
    ),
  )

/** One free port on each address, all different while we look. */
async function freePorts(addresses: readonly string[]): Promise<readonly number[]> {
  const servers = addresses.map((address) => ({ address, server: createServer() }))
  try {
    return await Promise.all(
      servers.map(
        ({ address, server }) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', (cause) =>
              reject(new LabError('lab/requirements', `nothing can listen on ${address}`, { cause })),
            )
            server.listen(0, address, () => {
              const bound = server.address()
              resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
            })
          }),
      ),
    )
  } finally {
    await Promise.all(servers.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  }
}

/** `env` and `bin/`: what a person in another terminal needs. */
function writeForPeople(cluster: LocalCluster, programs: LocalPrograms): void {
  const { folder, machines } = cluster
  writeFileSync(join(folder, 'cluster.json'), JSON.stringify(cluster))
  mkdirSync(join(folder, 'bin'))
  const script = (name: string, words: readonly string[]): void =>
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nexec ${words.map(quoted).join(' ')} "$@"\n`, { mode: 0o755 })
  script('fleetctl', [process.execPath, programs.fleetctl])
  script('machine', [process.execPath, process.argv[1] ?? '', '--machine', folder])
  const [first] = machines
  if (first === undefined) return
  const { FLEETCTL_ENDPOINT, FLEETCTL_PROCESS_DIR } = fleetctlEnvironment(cluster, first)
  const variables = { FLEETCTL_ENDPOINT, FLEETCTL_PROCESS_DIR, CLUSTER_STORE: cluster.storeUrl }
  const lines = Object.entries(variables).map(([name, value = '']) => `export ${name}=${quoted(value)}`)
  writeFileSync(join(folder, 'env'), `${lines.join('\n')}\nexport PATH=${quoted(join(folder, 'bin'))}:"$PATH"\n`)
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
