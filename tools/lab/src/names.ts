/**
 * Every name and address a lab uses, computed from the lab's own name: whoever knows the name can take the lab down.
 */
import { seededRandom } from '@cluster/prelude'
import { LabError } from './errors.ts'

/** The most machines one lab has: their addresses are the last byte of one /24. */
export const machinesMax = 200

/** The bridge of a lab. The same in each, since each has a network namespace of its own. */
export const bridgeName = 'lab0'

/** The lab's own end of its network, where the store listens. Seen inside the lab's namespace only. */
export const hostAddress = '172.30.0.1'

/** Where the store answers, as the machines see it. */
export const storeUrl = `http://${hostAddress}:2379`

export type LabNames = {
  /** 1 to 8 small letters and digits. */
  readonly lab: string
  /** Holds everything of the lab that is a file: state, logs, the store's data. */
  readonly runtimeFolder: string
  /** The network namespace, as a file that `nsenter --net=` takes. */
  readonly networkFile: string
  readonly stateFile: string
  /** Where the store's own disk is mounted. */
  readonly storeDiskFolder: string
  /** The lab's cgroup below each hierarchy's root; its parts have one each below it. */
  readonly cgroup: string
}

export type LabEnvironment = { readonly [key: string]: string | undefined }

/**
 * The lab's name that the environment asks for (`CLUSTER_LAB_NAME`), else the given one.
 *
 * @throws LabError `lab/bad-name`
 */
export function labNames(environment: LabEnvironment, otherwise = 'lab'): LabNames {
  const lab = environment['CLUSTER_LAB_NAME'] || otherwise
  // With "-m200" behind it and "vb-" ahead it must stay below the kernel's 16 bytes of a link's name.
  if (!/^[a-z][a-z0-9]{0,6}$/.test(lab)) {
    throw new LabError('lab/bad-name', `"${lab}" is not a name for a lab`, {
      hint: 'CLUSTER_LAB_NAME takes a small letter and up to six small letters or digits',
    })
  }
  const runtimeFolder = `${environment['CLUSTER_LAB_RUNTIME'] || '/run/cluster-lab'}/${lab}`
  return {
    lab,
    runtimeFolder,
    networkFile: `${runtimeFolder}/network`,
    stateFile: `${runtimeFolder}/lab.json`,
    storeDiskFolder: `${runtimeFolder}/store-disk`,
    cgroup: `cluster-lab-${lab}`,
  }
}

/** What nspawn calls a machine of this lab; two labs' machines never share it. */
export const nspawnName = (names: LabNames, machine: string): string => `${names.lab}-${machine}`

/** The lab's end of a machine's link, as nspawn names it. */
export const linkName = (names: LabNames, machine: string): string => `vb-${nspawnName(names, machine)}`

export type MachineIdentity = {
  /** `m1`, `m2`, … */
  readonly name: string
  /** 32 hex digits; ascending with the machine's number. */
  readonly machineId: string
  readonly hostname: string
  readonly address: string
  /** As fleet's metadata: `zone=a,disk=ssd`. */
  readonly metadata: Readonly<Record<string, string>>
}

const metadataCycle = [
  { zone: 'a', disk: 'ssd' },
  { zone: 'b', disk: 'ssd' },
  { zone: 'c', disk: 'hdd' },
] as const

/**
 * Who the machines of a lab are. The same for the same count, so that a scenario can be told again.
 *
 * @throws LabError `lab/bad-name` for a count outside 1 to `machinesMax`
 */
export function machineIdentities(count: number): readonly MachineIdentity[] {
  if (!Number.isInteger(count) || count < 1 || count > machinesMax) {
    throw new LabError('lab/bad-name', `a lab has 1 to ${machinesMax} machines, not ${count}`, {
      hint: 'three are enough to see everything',
    })
  }
  const random = seededRandom(count)
  const digits = (): string => Math.floor(random.next() * 16).toString(16)
  const machineIds = Array.from({ length: count }, () => Array.from({ length: 32 }, digits).join('')).sort()
  return machineIds.map((machineId, index) => ({
    name: `m${index + 1}`,
    machineId,
    hostname: `node${index + 1}`,
    address: `172.30.0.${index + 11}`,
    metadata: metadataCycle[index % metadataCycle.length] ?? metadataCycle[0],
  }))
}

/** Metadata as fleet's configuration spells it. */
export const renderMetadata = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
