/** What systemd 252 says of keys that are obsolete or that a type of unit does not have, whatever their values are. */
import type { ValueFinding } from './unit-message.ts'
import { warning } from './value-reading.ts'

/** Keys about which systemd says that they are obsolete, whatever their value is, and what it names instead. */
const obsoleteKeys: Readonly<Record<string, string>> = {
  BlockIODeviceWeight: 'IO*= settings',
  BlockIOReadBandwidth: 'IO*= settings',
  BlockIOWriteBandwidth: 'IO*= settings',
  CPUShares: 'CPUWeight=',
  MemoryLimit: 'MemoryMax=',
  StartupCPUShares: 'CPUWeight=',
}

const obsoleteDependencies: Readonly<Record<string, string>> = {
  RequiresOverridable: 'Requires',
  RequisiteOverridable: 'Requisite',
}

/** Who kills for want of memory looks at services, scopes and slices only. */
export const isUnsupported = (section: string, key: string): boolean =>
  /^ManagedOOM(?:Swap|MemoryPressure)/.test(key) && /^(?:Socket|Mount|Swap)$/.test(section)

/** What systemd says about an assignment even if it only resets a key. */
export function resetFindings(key: string, section = ''): readonly ValueFinding[] {
  if (isUnsupported(section, key)) return [warning(`${key}= is not supported for this unit type, ignoring.`)]
  const dependency = obsoleteDependencies[key]
  if (dependency !== undefined) {
    const advice = `replacing by ${dependency}=, please update your unit file`
    return [warning(`Unit dependency type ${key}= is obsolete, ${advice}`)]
  }
  const instead = obsoleteKeys[key]
  if (instead === undefined) return []
  return [warning(`Unit uses ${key}=; please use ${instead} instead. Support for ${key}= will be removed soon.`)]
}
