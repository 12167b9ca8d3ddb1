/** From the given flags to a configuration that is known to be right. Rules and texts: spec/etcd-v2.md §5.1, §6. Pure. */
import { err, ok, type Result } from '@cluster/prelude'
import { flags } from './flag-table.ts'
import type { GivenFlags } from './flags.ts'

export const logFormats = ['etcd', 'text', 'json', 'journal'] as const

export type KvdConfig = {
  readonly name: string
  readonly dataDirectory: string
  readonly snapshotCount: number
  /** 0: all are kept. */
  readonly snapshotsMax: number
  readonly electionTimeoutMs: number
  readonly listenClientUrls: readonly string[]
  readonly advertiseClientUrls: readonly string[]
  readonly peerUrls: readonly string[]
  readonly clusterToken: string
  readonly corsOrigins: readonly string[]
  readonly tls: {
    readonly certFile: string | undefined
    readonly keyFile: string | undefined
    readonly trustedCaFile: string | undefined
    readonly isClientCertRequired: boolean
  }
  readonly isDebug: boolean
  readonly logFormat: (typeof logFormats)[number]
  readonly isForcedNewCluster: boolean
  /** What was given without effect, in words. */
  readonly warnings: readonly string[]
}

/** The reason is for `error verifying flags, REASON. See 'kvd --help'.` */
export function configOf(given: GivenFlags): Result<KvdConfig, string> {
  const text = (name: string): string => given.get(name)?.text ?? flags.get(name)?.fallback ?? ''
  const file = (name: string): string | undefined => (text(name) === '' ? undefined : text(name))
  const isOn = (name: string): boolean => /^(1|t|true)$/i.test(text(name))
  const list = (name: string): readonly string[] =>
    text(name)
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
  const name = text('name')

  const lonely = needsOthers(text, given)
  if (lonely !== undefined) return err(lonely)
  const heartbeatMs = Number(text('heartbeat-interval'))
  const electionTimeoutMs = Number(text('election-timeout'))
  if (5 * heartbeatMs > electionTimeoutMs) {
    return err(
      `-election-timeout[${electionTimeoutMs}ms] should be at least as 5 times as -heartbeat-interval[${heartbeatMs}ms]`,
    )
  }
  if (electionTimeoutMs > 50_000) {
    return err(`-election-timeout[${electionTimeoutMs}ms] is too long, and should be set less than 50000ms`)
  }
  if (given.has('listen-client-urls') && !given.has('advertise-client-urls')) {
    return err('-advertise-client-urls is required when -listen-client-urls is set explicitly')
  }
  const listenClientUrls = list('listen-client-urls')
  if (listenClientUrls.length === 0) return err('-listen-client-urls names no URL')
  const peerUrls = [...list('initial-advertise-peer-urls')].sort()
  if (file('wal-dir') !== undefined) {
    return err('-wal-dir cannot be used: the log is part of the data directory; leave the flag out, or move -data-dir')
  }
  const initial = initialCluster(text('initial-cluster'), given.has('initial-cluster') ? undefined : name, peerUrls)
  const disagreement = clusterProblem(initial, name, peerUrls)
  if (disagreement !== undefined) return err(disagreement)

  const certFile = file('cert-file')
  const keyFile = file('key-file')
  const hasHttps = listenClientUrls.some((url) => url.startsWith('https:'))
  if (hasHttps && (certFile === undefined || keyFile === undefined)) {
    return err('an https URL in -listen-client-urls needs -cert-file and -key-file')
  }
  const trustedCaFile = file('trusted-ca-file') ?? file('ca-file')
  const isClientCertRequired = isOn('client-cert-auth') || file('ca-file') !== undefined
  if (isClientCertRequired && trustedCaFile === undefined) return err('-client-cert-auth needs -trusted-ca-file')
  const logFormat = logFormats.find((format) => format === text('log-format'))
  if (logFormat === undefined) {
    return err(`-log-format ${text('log-format')} is none of ${logFormats.join(', ')}`)
  }

  const warnings = [
    ...(given.has('data-dir') ? [] : [`no data-dir provided, using default data-dir ./${name}.etcd`]),
    ...(isClientCertRequired && !hasHttps ? ['client-cert-auth has no effect: no client URL is https'] : []),
    ...listenClientUrls
      .filter((url) => url.startsWith('http:') && (certFile !== undefined || keyFile !== undefined))
      .map(
        (url) => `The scheme of client url ${url} is HTTP while key/cert files are presented. Ignored key/cert files.`,
      ),
    ...[...given.keys()]
      .filter((one) => withoutEffect.test(one))
      .map((one) => `-${one} has no effect on a member that is alone`),
    ...(isOn('enable-pprof') ? ['-enable-pprof has no effect: figures are at /metrics'] : []),
  ]
  return ok({
    name,
    dataDirectory: file('data-dir') ?? `${name}.etcd`,
    snapshotCount: Number(text('snapshot-count')) || 10_000,
    snapshotsMax: Number(text('max-snapshots')),
    electionTimeoutMs,
    listenClientUrls,
    advertiseClientUrls: list('advertise-client-urls'),
    peerUrls,
    clusterToken: text('initial-cluster-token'),
    corsOrigins: list('cors'),
    tls: { certFile, keyFile, trustedCaFile, isClientCertRequired },
    isDebug: isOn('debug'),
    logFormat,
    isForcedNewCluster: isOn('force-new-cluster'),
    warnings,
  })
}

const withoutEffect =
  /^(peer-(cert-file|key-file|client-cert-auth|trusted-ca-file|ca-file)|proxy-.*|discovery-(fallback|proxy))$/

/** What is asked for but needs members beside this one. */
function needsOthers(text: (name: string) => string, given: GivenFlags): string | undefined {
  const alone = 'which needs other members, and this build runs one member alone'
  const ways = ['initial-cluster', 'discovery', 'discovery-srv'].filter((name) => given.has(name) && text(name) !== '')
  if (ways.length > 1) {
    return 'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery" or "discovery-srv"'
  }
  if (text('discovery') !== '') return `-discovery asks for discovery, ${alone}: give -initial-cluster, or nothing`
  if (text('discovery-srv') !== '')
    return `-discovery-srv asks for discovery, ${alone}: give -initial-cluster, or nothing`
  const proxy = text('proxy')
  if (!['off', 'on', 'readonly'].includes(proxy)) return `-proxy ${proxy} is none of off, on, readonly`
  if (proxy !== 'off') return `-proxy ${proxy} asks for a proxy, ${alone}: point clients at the member`
  const state = text('initial-cluster-state')
  if (state !== 'new' && state !== 'existing') return `-initial-cluster-state ${state} is none of new, existing`
  if (state === 'existing')
    return `-initial-cluster-state existing asks to join a cluster, ${alone}: leave the flag out`
  return undefined
}

/** Members and their URLs. A name given without `-initial-cluster` stands in the default list. */
function initialCluster(
  text: string,
  ownName: string | undefined,
  peerUrls: readonly string[],
): readonly (readonly [name: string, url: string])[] {
  if (ownName !== undefined) return peerUrls.map((url) => [ownName, url] as const)
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const equals = one.indexOf('=')
      return equals === -1 ? (['', one] as const) : ([one.slice(0, equals), one.slice(equals + 1)] as const)
    })
}

function clusterProblem(
  members: readonly (readonly [name: string, url: string])[],
  name: string,
  peerUrls: readonly string[],
): string | undefined {
  const own = members.filter(([member]) => member === name).map(([, url]) => url)
  if (own.length === 0) return `couldn't find local name "${name}" in the initial cluster configuration`
  const urls = members.map(([, url]) => url)
  if (new Set(urls).size < urls.length) {
    return `initial cluster ${members.map((pair) => pair.join('=')).join(',')} has duplicate url`
  }
  const others = [...new Set(members.map(([member]) => member))].filter((member) => member !== name)
  if (others.length > 0) {
    return `-initial-cluster names ${others.join(', ')} beside ${name}, and this build runs one member alone: name only this one`
  }
  if ([...own].sort().join() !== peerUrls.join()) {
    const wanted = peerUrls.map((url) => `${name}=${url}`).join(',')
    return `--initial-cluster must include ${wanted} given --initial-advertise-peer-urls=${peerUrls.join(',')}`
  }
  return undefined
}
