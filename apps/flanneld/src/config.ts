/** From given flags to what the daemon is told, with every bound of spec/flannel.md §9. Pure. */
import { Secret } from '@cluster/daemon'
import { assert, err, ok, type Result } from '@cluster/prelude'
import { formatIp4, type Ip4, parseIp4 } from '@cluster/subnet'
import { flags } from './flag-table.ts'
import { type GivenFlags, parseBoolean, parseInteger, variableOf } from './flags.ts'

/** Where the store is and how it is asked. */
export type StoreConfig = {
  readonly endpoints: readonly string[]
  /** Absolute, without a slash at its end; flannel joins paths, so one is harmless there. */
  readonly prefix: string
  readonly tls: {
    readonly keyFile: string | undefined
    readonly certFile: string | undefined
    readonly caFile: string | undefined
  }
  readonly username: string | undefined
  readonly password: Secret
  readonly passwordFile: string | undefined
}

/** One network of the store and the file that tells of it; `name` absent: the only one. */
export type NetworkFile = { readonly name?: string; readonly subnetFile: string }

export const filterModes = ['auto', 'nft', 'iptables'] as const
export type FilterMode = (typeof filterModes)[number]

export const logForms = ['glog', 'text', 'json', 'journal'] as const
export type LogForm = (typeof logForms)[number]

export const leaseLostReactions = ['exit', 'reallocate'] as const
export type LeaseLostReaction = (typeof leaseLostReactions)[number]

export type FlanneldConfig = {
  readonly store: StoreConfig
  readonly networks: readonly NetworkFile[]
  readonly external: {
    readonly names: readonly string[]
    readonly patterns: readonly string[]
    readonly canReach: string | undefined
    readonly waitMs: number
    readonly publicIp: Ip4 | undefined
  }
  readonly isMasquerading: boolean
  readonly isForwarding: boolean
  readonly filter: FilterMode
  readonly filterResyncMs: number
  readonly renewMarginSeconds: number
  readonly onLeaseLost: LeaseLostReaction
  readonly trustsUdpSenders: boolean
  /** Where health and figures are served. */
  readonly health: { readonly host: string; readonly port: number } | undefined
  readonly logForm: LogForm
  readonly verbosity: number
  /** What is odd but harmless. */
  readonly warnings: readonly string[]
}

/** Why a configuration cannot be, in one line, with what to do. */
export type ConfigFault = { readonly message: string; readonly remedy: string }

/** The configuration that was asked for, or the first thing that is wrong with it. */
export function configOf(given: GivenFlags): Result<FlanneldConfig, ConfigFault> {
  const ask = reader(given)
  const margin = ask.integer('subnet-lease-renew-margin')
  if (margin < 1 || margin > 24 * 60 - 1) {
    return err({
      message: 'Invalid subnet-lease-renew-margin option, out of acceptable range',
      remedy: `${ask.place('subnet-lease-renew-margin')} is ${margin}: expected minutes from 1 to 1439`,
    })
  }
  const resync = inRange(ask, 'iptables-resync', 1, 86_400)
  if (!resync.ok) return resync
  const wait = inRange(ask, 'iface-wait', 0, 86_400)
  if (!wait.ok) return wait
  const port = inRange(ask, 'healthz-port', 0, 65_535)
  if (!port.ok) return port
  const filter = oneOf(ask, 'filter', filterModes)
  if (!filter.ok) return filter
  const logForm = oneOf(ask, 'log-format', logForms)
  if (!logForm.ok) return logForm
  const onLeaseLost = oneOf(ask, 'lease-lost', leaseLostReactions)
  if (!onLeaseLost.ok) return onLeaseLost
  const networks = networksOf(ask)
  if (!networks.ok) return networks
  const store = storeOf(ask)
  if (!store.ok) return store
  const publicText = ask.text('public-ip')
  const publicIp = publicText === '' ? undefined : parseIp4(publicText)
  if (publicText !== '' && publicIp === undefined) {
    return err({
      message: `invalid public IP address: ${publicText}`,
      remedy: `${ask.place('public-ip')}: expected an IPv4 address such as 10.0.0.11`,
    })
  }
  return ok({
    store: store.value,
    networks: networks.value,
    external: {
      names: ask.filled('iface'),
      patterns: ask.filled('iface-regex'),
      canReach: unlessEmpty(ask.text('iface-can-reach')),
      waitMs: wait.value * 1000,
      publicIp,
    },
    isMasquerading: ask.isOn('ip-masq'),
    isForwarding: ask.isOn('iptables-forward-rules'),
    filter: filter.value,
    filterResyncMs: resync.value * 1000,
    renewMarginSeconds: margin * 60,
    onLeaseLost: onLeaseLost.value,
    trustsUdpSenders: ask.isOn('udp-trust-senders'),
    health: port.value === 0 ? undefined : { host: ask.text('healthz-ip'), port: port.value },
    logForm: logForm.value,
    verbosity: ask.integer('v'),
    warnings: warningsOf(ask, publicIp),
  })
}

/** Where the store is; for the commands, which have no other flags in common with the daemon. */
export const storeConfigOf = (given: GivenFlags): Result<StoreConfig, ConfigFault> => storeOf(reader(given))

/** The files of the networks that were asked for; for the commands. */
export const networkFilesOf = (given: GivenFlags): Result<readonly NetworkFile[], ConfigFault> =>
  networksOf(reader(given))

type Reader = {
  readonly text: (name: string) => string
  readonly texts: (name: string) => readonly string[]
  /** Those that are not empty: `--iface=` is what a unit says whose variable is not set, and names nothing. */
  readonly filled: (name: string) => readonly string[]
  readonly isOn: (name: string) => boolean
  readonly integer: (name: string) => number
  readonly isGiven: (name: string) => boolean
  /** The flag or the variable that the value comes from. */
  readonly place: (name: string) => string
}

function reader(given: GivenFlags): Reader {
  const texts = (name: string): readonly string[] => {
    const flag = flags.get(name)
    assert(flag !== undefined, `flag --${name} is declared`)
    const all = given.get(name)?.texts ?? (flag.fallback === '' ? [] : [flag.fallback])
    return flag.kind === 'list' ? all.flatMap((one) => one.split(',')) : all
  }
  const text = (name: string): string => texts(name)[0] ?? ''
  return {
    text,
    texts,
    filled: (name) => texts(name).filter((one) => one !== ''),
    isOn: (name) => parseBoolean(text(name)) === true,
    integer: (name) => parseInteger(text(name)),
    isGiven: (name) => given.has(name),
    place: (name) => (given.get(name)?.source === 'environment' ? variableOf(name) : `--${name}`),
  }
}

function inRange(ask: Reader, name: string, min: number, max: number): Result<number, ConfigFault> {
  const value = ask.integer(name)
  if (value >= min && value <= max) return ok(value)
  return err({ message: `${ask.place(name)} is ${value}`, remedy: `expected a number from ${min} to ${max}` })
}

function oneOf<Word extends string>(ask: Reader, name: string, words: readonly Word[]): Result<Word, ConfigFault> {
  const text = ask.text(name)
  const found = words.find((word) => word === text)
  if (found !== undefined) return ok(found)
  return err({
    message: `${ask.place(name)} is ${JSON.stringify(text)}`,
    remedy: `expected one of ${words.join(', ')}`,
  })
}

function networksOf(ask: Reader): Result<readonly NetworkFile[], ConfigFault> {
  const names = ask.texts('networks').filter((name) => name !== '')
  if (names.length === 0) return ok([{ subnetFile: ask.text('subnet-file') }])
  const wrong = names.find((name) => !/^[\w.-]+$/.test(name) || name === '.' || name === '..')
  if (wrong !== undefined) {
    return err({
      message: `${ask.place('networks')}: ${JSON.stringify(wrong)} is no name of a network`,
      remedy: 'expected letters, digits, dots, dashes and underscores: it becomes a part of a key and of a file name',
    })
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    return err({ message: `${ask.place('networks')} names ${twice} twice`, remedy: 'name each network once' })
  }
  const folder = ask.text('subnet-dir').replace(/\/+$/, '')
  return ok(names.map((name) => ({ name, subnetFile: `${folder}/${name}.env` })))
}

function storeOf(ask: Reader): Result<StoreConfig, ConfigFault> {
  const prefix = `/${ask
    .text('etcd-prefix')
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`
  const username = unlessEmpty(ask.text('etcd-username'))
  const [password, passwordFile] = [ask.text('etcd-password'), unlessEmpty(ask.text('etcd-password-file'))]
  if (password !== '' && passwordFile !== undefined) {
    return err({
      message: `${ask.place('etcd-password')} and ${ask.place('etcd-password-file')} exclude each other`,
      remedy: 'leave one of them out',
    })
  }
  if (username === undefined && (password !== '' || passwordFile !== undefined)) {
    return err({ message: 'a password of the store without a user', remedy: 'name the user with --etcd-username' })
  }
  const endpoints = ask.texts('etcd-endpoints')
  const wrong = endpoints.find((endpoint) => !/^https?:\/\/[^/\s]+\/*$/.test(endpoint))
  if (wrong !== undefined) {
    return err({
      message: `${ask.place('etcd-endpoints')}: ${JSON.stringify(wrong)} is no endpoint`,
      remedy: 'expected http://HOST:PORT or https://HOST:PORT, comma separated without blanks',
    })
  }
  return ok({
    endpoints,
    prefix,
    tls: {
      keyFile: unlessEmpty(ask.text('etcd-keyfile')),
      certFile: unlessEmpty(ask.text('etcd-certfile')),
      caFile: unlessEmpty(ask.text('etcd-cafile')),
    },
    username,
    password: new Secret(password),
    passwordFile,
  })
}

function warningsOf(ask: Reader, publicIp: Ip4 | undefined): readonly string[] {
  const isTlsGiven = ['etcd-keyfile', 'etcd-certfile', 'etcd-cafile'].some((name) => ask.text(name) !== '')
  const isPlain = ask.texts('etcd-endpoints').every((endpoint) => endpoint.startsWith('http:'))
  return [
    ...(ask.text('etcd-password') !== '' && ask.place('etcd-password').startsWith('--')
      ? [
          '--etcd-password can be read in the list of processes; rather give FLANNELD_ETCD_PASSWORD or --etcd-password-file',
        ]
      : []),
    ...(isTlsGiven && isPlain ? ['TLS files are given, but no endpoint of --etcd-endpoints begins with https:'] : []),
    ...(ask.text('networks') !== '' && ask.isGiven('subnet-file')
      ? [`${ask.place('subnet-file')} has no effect with --networks; see --subnet-dir`]
      : []),
    ...(ask.text('public-ipv6') !== '' ? [`${ask.place('public-ipv6')} has no effect: leases are of IPv4`] : []),
    ...(publicIp !== undefined && ask.filled('iface').length === 0 && ask.filled('iface-regex').length === 0
      ? [`peers will send to ${formatIp4(publicIp)}, whatever address the interface of the default route has`]
      : []),
  ]
}

const unlessEmpty = (text: string): string | undefined => (text === '' ? undefined : text)
