/** Plays the phases of a recorded overlay with our flanneld and our store, and tells where each one differs. */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type HostNumber, hostNumbers, type OverlayHost, type OverlayLab, openOverlayLab } from '@cluster/lab/overlay'
import { describeError } from '@cluster/prelude'
import { differences } from '../differences.ts'
import { objectIn, objectsIn, type RecordedCase, textIn } from '../recorded-cases.ts'
import type { Difference } from '../vector-set.ts'
import {
  type KernelFacts,
  kernelFacts,
  keyFacts,
  type OverlayFacts,
  recordedFacts,
  type SeenKernel,
  withPlaceholders,
} from './overlay-facts.ts'

export type OverlayPrograms = { readonly flanneld: string; readonly kvd: string }

/** What was found in each phase, by its name. */
export type PlayedPhases = ReadonlyMap<string, readonly Difference[]>

const prefix = '/coreos.com/network'
const device = /^flannel/
/** The records allow two seconds to a change; a busy machine takes longer to start a daemon. */
const settleLimitMs = 6000
/** MAC of the peers that exist only as keys. */
const syntheticMac = '02:00:0a:4e:00:28'

/** Plays one recorded file. A phase that fails ends the play: the later ones start from its end. */
export async function playOverlay(script: RecordedCase, programs: OverlayPrograms): Promise<PlayedPhases> {
  const phases = objectsIn(script, 'phases')
  const played = new Map<string, readonly Difference[]>()
  const hosts = hostNumbers.filter((number) =>
    phases.some((phase) => objectIn(phase, 'subnet_env')[String(number)] !== undefined),
  )
  await using lab = await openOverlayLab({ hosts, programs })
  await lab.store.put(`${prefix}/config`, JSON.stringify(script['config']))
  const stage: Stage = { lab, hosts, started: new Map(), argv: argumentsOf(script), lastState: undefined }
  for (const phase of phases) {
    const name = textIn(phase, 'name')
    try {
      played.set(name, await playPhase(stage, phase, phases))
    } catch (error) {
      played.set(name, [{ at: 'the phase itself', expected: 'plays', actual: describeError(error).join('; ') }])
      break
    }
  }
  return played
}

type Stage = {
  readonly lab: OverlayLab
  readonly hosts: readonly HostNumber[]
  /** Names of what only this run knows. */
  readonly started: Map<HostNumber, { readonly subnet: string; readonly mac: string | undefined }>
  readonly argv: readonly string[]
  lastState: OverlayFacts['hosts'] | undefined
}

const argumentsOf = (script: RecordedCase): readonly string[] => {
  const { arguments: argv } = script
  return Array.isArray(argv) ? argv.map(String) : []
}

async function playPhase(
  stage: Stage,
  phase: RecordedCase,
  phases: readonly RecordedCase[],
): Promise<readonly Difference[]> {
  const found = [...(await act(stage, phase))]
  const wanted = wantedFacts(phase, phases)
  const deadlineMs = performance.now() + settleLimitMs
  let differing: readonly Difference[]
  for (;;) {
    differing = differences(wanted, await look(stage, wanted))
    if (differing.length === 0 || performance.now() > deadlineMs) break
    await delay(50)
  }
  found.push(...differing)
  for (const [index, recorded] of objectsIn(phase, 'pings').entries()) {
    found.push(...differences(pingWanted(recorded), await pingSeen(stage.lab, recorded), `pings[${index}]`))
  }
  return found
}

/**
 * What should be there. When its own lease is deleted the original ends; ours makes it again at once and goes on
 * (spec/flannel.md §5), so that all is as before.
 */
function wantedFacts(phase: RecordedCase, phases: readonly RecordedCase[]): OverlayFacts {
  if (textIn(phase, 'name') !== 'own lease deleted') return recordedFacts(phase)
  const before = phases.find((one) => textIn(one, 'name') === 'synthetic peer gone')
  return recordedFacts(before ?? phase)
}

/** Does what happened at the start of a phase; gives what differs in how programs ended. */
async function act(stage: Stage, phase: RecordedCase): Promise<readonly Difference[]> {
  const { lab } = stage
  switch (textIn(phase, 'name')) {
    case 'alone':
      await start(stage, 1)
      return []
    case 'peer joins':
      await start(stage, 2)
      return []
    case 'all joined':
      await Promise.all(stage.hosts.filter((number) => number > 2).map((number) => start(stage, number)))
      return []
    case 'lease deleted':
      await lab.host(3).stop('SIGKILL')
      await lab.store.remove(keyOf(lab.host(3)))
      return []
    case 'lease expired': {
      await lab.host(4).stop('SIGKILL')
      const [own] = (await lab.store.list(`${prefix}/subnets`)).filter(({ key }) => key === keyOf(lab.host(4)))
      await lab.store.put(keyOf(lab.host(4)), own?.value ?? '', 2)
      return []
    }
    case 'daemon stopped':
      return differences(0, await lab.host(1).stop(), 'exit status')
    case 'daemon restarted':
      await start(stage, 1)
      return []
    case 'peer VTEP MAC changed': {
      const code = await lab.host(2).stop()
      await lab.host(2).network.ip(['link del flannel.1'])
      await start(stage, 2)
      return differences(0, code, 'exit status')
    }
    case 'own lease deleted':
      await removeSynthetic(lab, [])
      await lab.store.remove(keyOf(lab.host(1)))
      return []
    default:
      return synthesize(lab, phase)
  }
}

/** Peers that exist only as keys: those of the phase, and no others. */
async function synthesize(lab: OverlayLab, phase: RecordedCase): Promise<readonly Difference[]> {
  const wanted = objectsIn(phase, 'etcd').filter((one) => isSynthetic(textIn(one, 'key')))
  await removeSynthetic(
    lab,
    wanted.map((one) => textIn(one, 'key')),
  )
  for (const one of wanted) {
    await lab.store.put(textIn(one, 'key'), textIn(one, 'value').replaceAll('<vtepmac40>', syntheticMac), 600)
  }
  return []
}

async function removeSynthetic(lab: OverlayLab, except: readonly string[]): Promise<void> {
  for (const { key } of await lab.store.list(`${prefix}/subnets`)) {
    if (isSynthetic(key) && !except.includes(key)) await lab.store.remove(key)
  }
}

const isSynthetic = (key: string): boolean => /\/10\.5\.24\d\.0-24$/.test(key)
const keyOf = (host: OverlayHost): string =>
  `${prefix}/subnets/${host.variable('FLANNEL_SUBNET').replace(/\.\d+\/(\d+)$/, '.0-$1')}`

/**
 * Starts a daemon. The subnet of an earlier life is in its file, well away from those of the peers that exist only as
 * keys; which one it would have drawn is what the set flannel-allocator looks at.
 */
async function start({ lab, argv, started }: Stage, number: HostNumber): Promise<void> {
  const host = lab.host(number)
  const subnet = `10.5.${number * 10 + 1}`
  if (!started.has(number)) {
    const lines = [
      'FLANNEL_NETWORK=10.5.0.0/16',
      `FLANNEL_SUBNET=${subnet}.1/24`,
      'FLANNEL_MTU=1450',
      'FLANNEL_IPMASQ=true',
    ]
    writeFileSync(host.subnetFile, `${lines.join('\n')}\n`)
  }
  await host.start(argv)
  const [link] = (await host.look(['ip', '-json', 'link'])).filter(({ ifname }) => device.test(String(ifname)))
  const mac = link?.['link_type'] === 'ether' ? String(link['address']) : undefined
  started.set(number, { subnet, mac })
}

const placeholders = ({ started }: Stage): ReadonlyMap<string, string> =>
  new Map([
    [syntheticMac, '<vtepmac40>'],
    ...[...started].flatMap(([number, { subnet, mac }]) => [
      [`${subnet}.`, `10.5.<${number}>.`] as const,
      ...(mac === undefined ? [] : [[mac, `<vtepmac${number}>`] as const]),
    ]),
  ])

/** What is there now, of all that the phase tells. */
async function look(stage: Stage, wanted: OverlayFacts): Promise<OverlayFacts> {
  const { lab, hosts } = stage
  const names = placeholders(stage)
  const numbers = hosts.filter((number) => wanted.hosts[String(number)] !== undefined)
  const [keys, kernels] = await Promise.all([
    lab.store.list(`${prefix}/subnets`),
    Promise.all(numbers.map(async (number) => [String(number), await lookAtKernel(lab.host(number), names)] as const)),
  ])
  const files = hosts.flatMap((number) =>
    wanted.files[String(number)] === undefined ? [] : [[String(number), lab.host(number).subnetEnv()] as const],
  )
  return {
    keys: withPlaceholders(keyFacts(keys), names),
    files: withPlaceholders(Object.fromEntries(files), names),
    hosts: Object.fromEntries(kernels),
  }
}

async function lookAtKernel(host: OverlayHost, names: ReadonlyMap<string, string>): Promise<KernelFacts> {
  const [links, routes, neighbours, forwarding] = await Promise.all([
    host.look(['ip', '-json', '-details', 'addr']),
    host.look(['ip', '-json', 'route']),
    host.look(['ip', '-json', 'neigh', 'show', 'nud', 'permanent']),
    host.look(['bridge', '-json', 'fdb']),
  ])
  const isOurs = ({ ifname, dev }: RecordedCase): boolean => device.test(String(ifname ?? dev))
  const seen: SeenKernel = {
    links: links.filter(isOurs),
    routes,
    neighbours: neighbours.filter(isOurs),
    forwarding: forwarding.filter(isOurs),
  }
  // Lines are sorted as the records are: by the placeholders.
  return kernelFacts(withPlaceholders(seen, names))
}

const pingWanted = ({ ok, ttl }: RecordedCase): unknown => ({ ok: ok === true, ttl })

async function pingSeen(lab: OverlayLab, recorded: RecordedCase): Promise<unknown> {
  const [from, to] = [containerOf(lab, recorded, 'from'), containerOf(lab, recorded, 'to')]
  const length = typeof recorded['ip_length'] === 'number' ? recorded['ip_length'] : undefined
  const answer = await from.ping(to.containerAddress(), length)
  return { ok: answer.ok, ttl: answer.ok ? answer.ttl : undefined }
}

function containerOf(lab: OverlayLab, recorded: RecordedCase, field: string): OverlayHost {
  const number = Number(/^container (\d)$/.exec(textIn(recorded, field))?.[1])
  const known = hostNumbers.find((one) => one === number)
  if (known === undefined) throw new Error(`a ping goes between containers, not ${textIn(recorded, field)}`)
  return lab.host(known)
}
