/** The interface to other machines, found as the flags ask and told in flannel's words (spec/flannel.md §6). */

import { systemClock } from '@cluster/daemon'
import type { ExternalInterface, FindExternal } from '@cluster/flannel'
import { findExternalInterface, LinuxNetError } from '@cluster/linux-net'
import type { Logger } from '@cluster/prelude'
import { formatIp4 } from '@cluster/subnet'
import type { FlanneldConfig } from './config.ts'

/** Looks each time it is called; says what it found when that differs from before. */
export function createFindExternal({ external }: Pick<FlanneldConfig, 'external'>, log: Logger): FindExternal {
  const { names, patterns, canReach, publicIp } = external
  let told = ''
  return async (signal) => {
    const ways = canReach === undefined ? {} : { canReach: [canReach] }
    const found = await findExternalInterface({ clock: systemClock, interfaces: names, patterns, ...ways, signal })
    const { device, mtu, address } = found
    if (address === undefined) {
      throw new LinuxNetError('linux-net/no-interface', `failed to find IPv4 address for interface ${device}`, {
        hint: `give ${device} an IPv4 address, or name another interface with --iface`,
      })
    }
    const result: ExternalInterface = {
      device,
      mtu,
      interfaceAddress: address,
      publicIp: publicIp === undefined ? address : formatIp4(publicIp),
    }
    const text = JSON.stringify(result)
    if (text === told) return result
    told = text
    for (const warning of found.warnings) log.warn(warning)
    log.info(`Using interface with name ${device} and address ${address}`)
    log.info(
      publicIp === undefined
        ? `Defaulting external address to interface address (${address})`
        : `Using ${result.publicIp} as external address`,
    )
    return result
  }
}
