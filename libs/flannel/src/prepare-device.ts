/** Makes the device that a lease tells others of, before there is a lease. A device that fits is left as it is. */
import { diff, emptyState, type Kernel, type NetworkState, type Ownership } from '@cluster/linux-net/state'
import type { Random } from '@cluster/prelude'
import type { Backend } from './backends/backend.ts'
import { FlannelError } from './errors.ts'
import type { ExternalInterface } from './external.ts'
import { refusalText } from './kernel-keeper.ts'

/** None of ours have one. */
const unusedMetric = 4_000_000_156

/**
 * @returns the device's hardware address; `undefined` for a backend without such a device
 * @throws FlannelError `flannel/foreign-device`, `flannel/kernel-refused`
 */
export async function prepareDevice(
  {
    kernel,
    backend,
    external,
    state,
    ownership,
    random,
  }: {
    readonly kernel: Kernel
    readonly backend: Backend
    readonly external: ExternalInterface
    readonly state: NetworkState
    readonly ownership: Ownership
    readonly random: Random
  },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (backend.type === 'alloc') return undefined
  if (backend.device === undefined) {
    await askForRights(kernel, ownership, signal)
    return undefined
  }
  const there = state.links.find(({ name }) => name === backend.device)
  // The address stays over a restart, and over a device that has to be made anew: others need not learn another one.
  const mac = there?.kind === 'vxlan' && there.mac !== undefined ? there.mac : randomMac(random)
  const link = backend.link(external, mac)
  if (link === undefined) return undefined
  const plan = diff({ ...emptyState, links: [link] }, state, ownership)
  const foreign = plan.refusals.find(({ kind }) => kind === 'foreign-device')
  if (foreign !== undefined) {
    const [what, why] = refusalText(foreign)
    throw new FlannelError('flannel/foreign-device', `${what} is not ours: ${why}`, {
      hint: `remove it (ip link delete ${backend.device}), or choose another VNI in the network configuration`,
    })
  }
  // Nothing but the device: addresses, routes and entries of the last run carry traffic until the new ones are known.
  const commands = plan.commands.filter(({ kind }) => /^(add|set|delete)-link$/.test(kind))
  if (commands.length === 0) await askForRights(kernel, ownership, signal)
  const [failure] = commands.length === 0 ? [] : await kernel.apply(commands, signal)
  if (failure !== undefined) {
    throw new FlannelError('flannel/kernel-refused', `the kernel does not make ${backend.device}: ${failure.text}`, {
      hint: failure.hint ?? 'flanneld needs CAP_NET_ADMIN, and a kernel with vxlan',
    })
  }
  return mac
}

/**
 * Takes away a route that nobody has: without rights the kernel refuses that, too. A lease, and a subnet file that
 * containers are started with, would be of no use then.
 */
async function askForRights(
  kernel: Kernel,
  { networks, routeProtocol }: Ownership,
  signal: AbortSignal,
): Promise<void> {
  const destination = `${networks[0]?.split('/')[0]}/32`
  const route = { destination, protocol: routeProtocol, metric: unusedMetric }
  const [failure] = await kernel.apply([{ kind: 'delete-route', route }], signal)
  if (failure?.reason !== 'no-permission') return
  throw new FlannelError('flannel/kernel-refused', `the kernel lets us change nothing: ${failure.text}`, {
    hint: failure.hint ?? 'flanneld needs CAP_NET_ADMIN',
  })
}

/** A locally administered unicast address. */
function randomMac(random: Random): string {
  const bytes = Array.from({ length: 6 }, () => Math.floor(random.next() * 256))
  const first = ((bytes[0] ?? 0) & 0xfe) | 0x02
  return [first, ...bytes.slice(1)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
