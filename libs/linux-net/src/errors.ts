/** What can go wrong between us and the kernel, and how the words of `ip` and `bridge` become our reasons. */
import { ClusterError } from '@cluster/prelude'
import type { NetworkCommand } from './state/command.ts'
import type { Failure, FailureReason } from './state/kernel.ts'

/** Codes of {@link LinuxNetError}. */
export type LinuxNetErrorCode =
  /** `ip`, `bridge`, or both of `nft` and `iptables` are not installed. */
  | 'linux-net/program-missing'
  /** The process may not look at or change the network. */
  | 'linux-net/no-permission'
  /** A program failed, or printed what cannot be understood: nothing is known about the network. */
  | 'linux-net/observation'
  /** The packet filter did not take our rules. */
  | 'linux-net/filter'
  /** A program did not answer in time. */
  | 'linux-net/timeout'
  /** A program of ours ended although it was told nothing wrong. */
  | 'linux-net/program-died'
  /** No link answers to what the operator said, or there is no default route. */
  | 'linux-net/no-interface'
  /** This host cannot call into the C library: only the udp tunnel needs that. */
  | 'linux-net/ffi-unavailable'
  /** No TUN device: rights, or the kernel's module. */
  | 'linux-net/tun-unavailable'
  /** No UDP socket at that address and port. */
  | 'linux-net/udp-socket'
  /** A subnet or address in the tunnel's table that is none. */
  | 'linux-net/bad-tunnel-peer'
  /** The tunnel ended by itself: its device was removed, or it has a fault. */
  | 'linux-net/tunnel-ended'

/** The kernel or a program that talks to it failed us. */
export class LinuxNetError extends ClusterError<LinuxNetErrorCode> {
  override readonly name = 'LinuxNetError'
}

const packages: Readonly<Record<string, string>> = { ip: 'iproute2', bridge: 'iproute2', nft: 'nftables' }

/** The error for a program that is not there. */
export function programMissing(program: string, cause?: unknown): LinuxNetError {
  return new LinuxNetError('linux-net/program-missing', `the program ${program} is not there`, {
    hint: `install the package ${packages[program] ?? program}`,
    cause,
  })
}

/** What to do about a missing right. */
export const permissionHint = 'run it as root, or with the capability CAP_NET_ADMIN'

/** How the programs say why; the first that matches. */
const wordings: readonly (readonly [RegExp, FailureReason])[] = [
  [/operation not permitted|permission denied/i, 'no-permission'],
  [/cannot find device|no such device|device not found|does not exist/i, 'no-device'],
  [/unknown device type|operation not supported|protocol not supported/i, 'unsupported'],
  [/unreachable|no route to host|invalid gateway|network is down/i, 'unreachable'],
  [/file exists|already exists|address already in use/i, 'exists'],
]

/** What the kernel says when that which is to go is not there. */
const absent =
  /no such process|no such file or directory|cannot assign requested address|address not found|device not found|no such device|cannot find device/i

/**
 * The failure that a program's complaint about a command means; `undefined` when the command's aim is reached all the
 * same: that which is to go is not there.
 */
export function failureOf(command: NetworkCommand, complaint: string): Failure | undefined {
  if (command.kind.startsWith('delete-') && absent.test(complaint)) return undefined
  const text = complaint.trim()
  const reason = wordings.find(([words]) => words.test(text))?.[1] ?? 'other'
  const hint = hintOf(command, reason)
  return { command, reason, text: text === '' ? 'no reason given' : text, ...(hint === undefined ? {} : { hint }) }
}

function hintOf(command: NetworkCommand, reason: FailureReason): string | undefined {
  if (reason === 'no-permission') return permissionHint
  if (reason === 'unreachable' && command.kind === 'replace-route') {
    return `${command.route.gateway ?? 'the gateway'} must be on a link of this machine: host-gw and DirectRouting need machines on one link`
  }
  if (command.kind !== 'add-link') return undefined
  if (reason === 'unsupported') {
    return `the kernel has no devices of kind ${command.link.kind}: modprobe ${command.link.kind}`
  }
  return reason === 'exists'
    ? `another device has the same name, VNI or port: ip -d link show type ${command.link.kind}`
    : undefined
}
