/**
 * A lab in which each machine runs fleetd on one store: what `npm run lab -- 3`, the demonstration and the scenarios use.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { LabError } from './errors.ts'
import { bringUp, isUp, type Lab, ownerOf, takeDown } from './lab.ts'
import { writeBound } from './machine.ts'
import {
  type LabEnvironment,
  type LabNames,
  type MachineIdentity,
  machineIdentities,
  renderMetadata,
  storeUrl,
} from './names.ts'
import type { Progress } from './progress.ts'
import { checkRequirements } from './requirements.ts'
import { ensureRoot } from './root.ts'
import type { MachineState } from './state.ts'
import { type StoreKind, type StoreProgram, storeKind } from './store-program.ts'
import { unixRequest } from './unix-http.ts'
import { until } from './until.ts'

/** What goes into the machines, as it lies in the repository. */
export type Programs = {
  readonly fleetd: string
  readonly fleetctl: string
  /** Our store; its worker `kvd-worker.cjs` lies beside it. */
  readonly kvd: string
  readonly flanneld: string
  /** Folder with unit files, seen in the machines as /opt/cluster/examples. */
  readonly examples: string
}

export type ClusterOptions = {
  readonly machines: number
  readonly programs: Programs
  readonly environment: LabEnvironment
  /** What serves the store; what the environment asks for when it is not given. */
  readonly store?: StoreKind | undefined
  /** The process that takes the lab down when it ends; absent for a lab that stays. */
  readonly ownerPid?: number | undefined
  /** More lines for each machine's fleet.conf. */
  readonly configuration?: readonly string[]
}

/** Where the machines' fleetd listens, inside. */
export const fleetSocket = '/run/fleet.sock'

/**
 * Boots a cluster and resolves when every fleetd lists all machines.
 * A lab of the same name that was left by a crash is taken down first, and so is this one when it does not come up.
 *
 * @throws LabError `lab/already-up` when it is still in use
 */
export async function bringUpCluster(
  names: LabNames,
  options: ClusterOptions,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Lab> {
  const { programs, environment, ownerPid, configuration = [], store = storeKind(environment) } = options
  await checkRequirements(store)
  const identities = machineIdentities(options.machines)
  const { fleetd, fleetctl, kvd, flanneld, examples } = programs
  for (const file of [fleetd, fleetctl, kvd, workerOf(kvd), flanneld, examples]) {
    if (!existsSync(file)) {
      throw new LabError('lab/not-built', `${file} is missing`, { hint: 'build it: npm run build' })
    }
  }
  await clearTheWay(names, progress)
  const root = await ensureRoot(environment, progress, signal)
  signal?.throwIfAborted()
  try {
    return await bootCluster()
  } catch (error) {
    await takeDown(names, progress)
    throw error
  }

  async function bootCluster(): Promise<Lab> {
    const machines = prepare(names, identities, programs, configuration)
    const program: StoreProgram = store === 'etcd' ? { kind: 'etcd' } : { kind: 'kvd', file: copiesOf(names).kvd }
    const lab = await bringUp(names, { root, store: program, machines, ownerPid }, progress, signal)
    const startMs = performance.now()
    progress.step('fleetd …')
    await waitForFleet(lab, undefined, 60_000, signal)
    progress.done(
      `fleetd: each lists ${identities.length} machines after ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
    )
    return lab
  }
}

/** Resolves when the fleetd of each of the machines lists as many machines as there are. */
export async function waitForFleet(
  lab: Lab,
  machines: readonly string[] = lab.machines.map(({ name }) => name),
  timeoutMs = 60_000,
  signal?: AbortSignal,
): Promise<void> {
  await Promise.all(
    machines.map((machine) =>
      until(() => listedMachines(lab, machine), {
        what: `fleetd on ${machine} listing ${machines.length} machines`,
        timeoutMs,
        everyMs: 100,
        signal,
        is: (listed) => listed.length >= machines.length,
      }),
    ),
  )
}

/** The machine ids that a machine's fleetd lists. */
export async function listedMachines(lab: Lab, machine: string): Promise<readonly string[]> {
  const response = await unixRequest(lab.pathInto(machine, fleetSocket), { path: '/fleet/v1/machines' })
  const body: unknown = JSON.parse(response.text)
  if (typeof body !== 'object' || body === null || !('machines' in body) || !Array.isArray(body.machines)) return []
  return body.machines.flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'id' in entry && typeof entry.id === 'string' ? [entry.id] : [],
  )
}

async function clearTheWay(names: LabNames, progress: Progress): Promise<void> {
  if (!existsSync(names.runtimeFolder)) return
  const owner = ownerOf(names)
  if (owner !== undefined && owner !== process.pid) {
    throw new LabError('lab/already-up', `the lab "${names.lab}" is in use by process ${owner}`, {
      hint: `stop that one, or name another lab: CLUSTER_LAB_NAME=other`,
    })
  }
  if (owner === undefined && isUp(names)) {
    throw new LabError('lab/already-up', `the lab "${names.lab}" is up`, {
      hint: 'use it, or remove it first: npm run lab -- down',
    })
  }
  await takeDown(names, progress)
}

/** Where a lab keeps the programs that it runs; its machines see the folder as /opt/cluster. */
function copiesOf({ runtimeFolder }: LabNames): { readonly folder: string; readonly kvd: string } {
  const folder = `${runtimeFolder}/programs`
  return { folder, kvd: `${folder}/kvd.cjs` }
}

const workerOf = (kvd: string): string => `${dirname(kvd)}/kvd-worker.cjs`

function prepare(
  names: LabNames,
  identities: readonly MachineIdentity[],
  programs: Programs,
  configuration: readonly string[],
): readonly MachineState[] {
  const { folder, kvd } = copiesOf(names)
  mkdirSync(folder, { recursive: true })
  // Copies, so that a build does not change what a running lab boots.
  copyFileSync(programs.fleetd, `${folder}/fleetd.cjs`)
  copyFileSync(programs.fleetctl, `${folder}/fleetctl.cjs`)
  copyFileSync(programs.kvd, kvd)
  copyFileSync(workerOf(programs.kvd), workerOf(kvd))
  copyFileSync(programs.flanneld, `${folder}/flanneld.cjs`)
  cpSync(programs.examples, `${folder}/examples`, { recursive: true })
  return identities.map((identity) => {
    const write = (name: string, text: string, mode?: number): string =>
      writeBound(names, identity.name, name, text, mode)
    write('units/lab-network.service', networkUnit(identity.address))
    write('units/fleetd.service', fleetdUnit)
    const state = `${names.runtimeFolder}/${identity.name}/state`
    mkdirSync(state, { recursive: true })
    return {
      ...identity,
      wants: ['lab-network.service', 'fleetd.service'],
      binds: [
        { from: write('machine-id', `${identity.machineId}\n`, 0o444), to: '/etc/machine-id' },
        { from: write('hostname', `${identity.hostname}\n`), to: '/etc/hostname' },
        { from: write('fleet.conf', renderConfiguration(identity, configuration)), to: '/etc/fleet/fleet.conf' },
        { from: write('cluster.env', machineEnvironment(identity)), to: '/etc/cluster.env' },
        { from: `${names.runtimeFolder}/${identity.name}/units`, to: '/usr/local/lib/systemd/system' },
        { from: process.execPath, to: '/usr/local/bin/node' },
        { from: folder, to: '/opt/cluster' },
        { from: write('fleetctl', scriptFor('fleetctl'), 0o755), to: '/usr/local/bin/fleetctl' },
        { from: write('flanneld', scriptFor('flanneld'), 0o755), to: '/usr/local/bin/flanneld' },
        { from: state, to: '/var/lib/fleet', writable: true },
      ],
    }
  })
}

/** The link needs its address before anything that talks; there is no network daemon in the machines. */
const networkUnit = (address: string): string => `[Unit]
Description=Address of this machine in the lab
DefaultDependencies=no
Before=network.target sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip address replace ${address}/24 dev host0
ExecStart=/usr/sbin/ip link set host0 up
`

const fleetdUnit = `[Unit]
Description=fleetd: places units on machines and runs them
After=lab-network.service dbus.service
Requires=dbus.socket
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/bin/node /opt/cluster/fleetd.cjs
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=200ms
KillMode=process
TimeoutStopSec=20
`

const scriptFor = (program: string): string => `#!/bin/sh
exec /usr/local/bin/node /opt/cluster/${program}.cjs "$@"
`

const renderConfiguration = (identity: MachineIdentity, more: readonly string[]): string =>
  [
    `etcd_servers = "${storeUrl}"`,
    `public_ip = "${identity.address}"`,
    `metadata = "${renderMetadata(identity.metadata)}"`,
    ...more,
    '',
  ].join('\n')

/** What a unit may want to know of its machine: the units in examples/ read it by EnvironmentFile=. */
const machineEnvironment = (identity: MachineIdentity): string =>
  `CLUSTER_ADDRESS=${identity.address}\nCLUSTER_STORE=${storeUrl}\n`
