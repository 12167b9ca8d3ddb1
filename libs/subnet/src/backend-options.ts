/** The options of a backend, from the Backend object of the network configuration (spec/flannel.md §2). */
import { err, ok, type Result } from '@cluster/prelude'
import type { ConfigProblem } from './config-members.ts'
import { foldName, type JsonValue } from './json-text.ts'
import type { NetworkConfig } from './network-config.ts'

/** Packets in UDP datagrams, through a TUN device and a process. */
export type UdpOptions = { readonly type: 'udp'; readonly port: number }

/** Packets in VXLAN, by the kernel. */
export type VxlanOptions = {
  readonly type: 'vxlan'
  /** 0 to 2^24 - 1; the device is `flannel.VNI`. */
  readonly vni: number
  /** 0: the kernel's default, 8472. */
  readonly port: number
  readonly gbp: boolean
  /** Plain routes to machines on our own link. */
  readonly directRouting: boolean
  readonly learning: boolean
  /** Stands for the MTU of the external interface; absent: take that one's. */
  readonly mtu?: number
}

/** Plain routes through the other machines. */
export type HostGwOptions = { readonly type: 'host-gw' }

/** Subnets only, no data path. */
export type AllocOptions = { readonly type: 'alloc' }

/** What a backend is told by the network configuration. */
export type BackendOptions = UdpOptions | VxlanOptions | HostGwOptions | AllocOptions

/** The backends that exist here. */
export const backendTypes = ['alloc', 'host-gw', 'udp', 'vxlan'] as const

/** Backends of the original that do not exist here. */
const elsewhere = ['ali-vpc', 'aws-vpc', 'extension', 'gce', 'ipip', 'ipsec', 'tencent-vpc', 'wireguard']

/**
 * The options of the backend that the configuration names, with defaults.
 *
 * @returns `bad-backend` for an unknown type, for one that exists only in the original, and for an option of a wrong
 *   type or out of bounds. Unknown options are ignored, as the original does.
 */
export function backendOptions(
  config: Pick<NetworkConfig, 'backend' | 'backendType'>,
): Result<BackendOptions, ConfigProblem> {
  const type = config.backendType.toLowerCase()
  const option = optionReader(config)
  switch (type) {
    case 'alloc':
    case 'host-gw':
      return ok({ type })
    case 'udp': {
      const port = option.number('Port', 8285, { min: 1, max: 65_535 })
      return option.finish({ type, port })
    }
    case 'vxlan': {
      const mtu = option.number('MTU', 0, { min: 0, max: 65_535 })
      return option.finish({
        type,
        vni: option.number('VNI', 1, { min: 0, max: 2 ** 24 - 1 }),
        port: option.number('Port', 0, { min: 0, max: 65_535 }),
        gbp: option.flag('GBP'),
        directRouting: option.flag('DirectRouting'),
        learning: option.flag('Learning'),
        ...(mtu === 0 ? {} : { mtu }),
      })
    }
    default:
      return unknownType(config.backendType, type)
  }
}

function unknownType(written: string, type: string): Result<never, ConfigProblem> {
  const hint = `set Backend.Type to one of ${backendTypes.join(', ')}`
  if (elsewhere.includes(type))
    return err({ kind: 'bad-backend', text: `backend type ${type} is known to flanneld, but not offered here`, hint })
  return err({ kind: 'bad-backend', text: `unknown backend type: ${written === '' ? '(none given)' : written}`, hint })
}

/** Reads options by name in any case; the first complaint is what `finish` answers. */
function optionReader({ backend, backendType }: Pick<NetworkConfig, 'backend' | 'backendType'>) {
  let problem: ConfigProblem | undefined
  const complain = (name: string, expected: string, found: JsonValue): void => {
    problem ??= {
      kind: 'bad-backend',
      text: `error decoding Backend property of config: ${name} of ${backendType} must be ${expected}, found ${JSON.stringify(found)}`,
      hint: `correct ${name} in Backend, or leave it out`,
    }
  }
  const given = (name: string): JsonValue | undefined => {
    // The last of several spellings counts; null counts as not given.
    const found = Object.entries(backend).findLast(([key, value]) => foldName(key) === foldName(name) && value !== null)
    return found?.[1]
  }
  return {
    number: (name: string, otherwise: number, { min, max }: { readonly min: number; readonly max: number }): number => {
      const value = given(name)
      if (value === undefined) return otherwise
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
      complain(name, `a whole number from ${min} to ${max}`, value)
      return otherwise
    },
    flag: (name: string): boolean => {
      const value = given(name)
      if (value === undefined || typeof value === 'boolean') return value ?? false
      complain(name, 'true or false', value)
      return false
    },
    finish: (options: BackendOptions): Result<BackendOptions, ConfigProblem> =>
      problem === undefined ? ok(options) : err(problem),
  }
}
