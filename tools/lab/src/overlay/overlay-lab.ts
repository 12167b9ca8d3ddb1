/**
 * A small overlay in network namespaces, as the recorded cases were made: hosts 1 to 3 on one link, host 4 behind a
 * router that runs the store and is everybody's default gateway; behind each host a bridge with one container.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError } from '../errors.ts'
import { type HostFacts, hostFacts } from '../requirements.ts'
import { type Namespace, openNamespace } from './namespace.ts'
import { createOverlayHost, type OverlayHost } from './overlay-host.ts'
import { type OverlayStore, overlayStoreUrl, startOverlayStore } from './store.ts'

export type OverlayLabOptions = {
  /** Which of the hosts 1 to 4 there are. */
  readonly hosts: readonly HostNumber[]
  /** The built programs. */
  readonly programs: { readonly flanneld: string; readonly kvd: string }
  /** Prefix of the network in the store. Default: flannel's. */
  readonly prefix?: string
}

export const hostNumbers = [1, 2, 3, 4] as const
export type HostNumber = (typeof hostNumbers)[number]

export type OverlayLab = AsyncDisposable & {
  /** Holds everything that is a file: the store's data, subnet files, logs. */
  readonly folder: string
  readonly router: Namespace
  readonly store: OverlayStore
  readonly host: (number: HostNumber) => OverlayHost
}

/** Programs that an overlay lab calls, with the Debian package that has each. */
export const overlayPrograms: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  nft: 'nftables',
  ping: 'iputils-ping',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
}

/** What keeps this host from running an overlay lab; empty when nothing does. */
export function overlayObstacles({ platform, isRoot, hasProgram }: HostFacts = hostFacts()): readonly string[] {
  if (platform !== 'linux') return [`the overlay lab makes network namespaces and needs Linux; this is ${platform}`]
  const missing = Object.keys(overlayPrograms).filter((name) => !hasProgram(name))
  const packages = [...new Set(missing.flatMap((name) => overlayPrograms[name] ?? []))]
  return [
    ...(isRoot ? [] : ['the overlay lab makes network namespaces and needs root']),
    ...(missing.length === 0
      ? []
      : [`missing: ${missing.join(', ')}: apt-get install -y --no-install-recommends ${packages.join(' ')}`]),
  ]
}

/** Where a host is reached by the others. */
export const addressOf = (number: HostNumber): string => (number === 4 ? '10.79.0.14' : `10.78.0.1${number}`)

/** Makes namespaces, links and the store; no daemon runs yet. Disposing of it ends and removes all of it. */
export async function openOverlayLab({
  hosts,
  programs,
  prefix = '/coreos.com/network',
}: OverlayLabOptions): Promise<OverlayLab> {
  const folder = mkdtempSync(join(tmpdir(), 'overlay-lab-'))
  const opened: AsyncDisposable[] = []
  const dispose = async (): Promise<void> => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
  const keep = <Opened extends AsyncDisposable>(one: Opened): Opened => {
    opened.push(one)
    return one
  }
  try {
    const router = keep(await openNamespace())
    const members = await Promise.all(
      hosts.map(async (number) => ({
        number,
        network: keep(await openNamespace()),
        container: keep(await openNamespace()),
      })),
    )
    await linkAll(router, members)
    const store = keep(await startOverlayStore(router, programs.kvd, folder))
    const all = new Map(
      members.map(({ number, network, container }) => {
        const host = createOverlayHost({
          number,
          network,
          container,
          folder,
          program: programs.flanneld,
          storeUrl: overlayStoreUrl,
          prefix,
        })
        return [number, keep(host)]
      }),
    )
    const host = (number: HostNumber): OverlayHost => {
      const found = all.get(number)
      if (found === undefined) throw new LabError('lab/unknown-machine', `this overlay lab has no host ${number}`)
      return found
    }
    return { folder, router, store, host, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function linkAll(
  router: Namespace,
  members: readonly { readonly number: HostNumber; readonly network: Namespace }[],
): Promise<void> {
  const local = members.filter(({ number }) => number !== 4)
  const remote = members.filter(({ number }) => number === 4)
  await router.set('net.ipv4.ip_forward', '1')
  await router.ip([
    'link set lo up',
    'link add br0 type bridge',
    'addr add 10.78.0.254/24 dev br0',
    'link set br0 up',
    ...members.map(({ number, network }) => `link add h${number} type veth peer name eth0 netns ${network.pid}`),
    ...local.flatMap(({ number }) => [`link set h${number} master br0`, `link set h${number} up`]),
    ...remote.flatMap(({ number }) => [`addr add 10.79.0.254/24 dev h${number}`, `link set h${number} up`]),
  ])
  await Promise.all(
    members.map(async ({ number, network }) => {
      await network.set('net.ipv4.ip_forward', '1')
      await network.ip([
        'link set lo up',
        `addr add ${addressOf(number)}/24 dev eth0`,
        'link set eth0 up',
        `route add default via ${number === 4 ? '10.79.0.254' : '10.78.0.254'}`,
      ])
    }),
  )
}
