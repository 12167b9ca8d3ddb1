import { describe, expect, it } from 'vitest'
import { configOf } from './config.ts'
import { readFlags } from './flags.ts'

function config(...argv: readonly string[]) {
  const outcome = readFlags(argv, {}, '')
  if (outcome.kind !== 'run') throw new Error(`${argv.join(' ')}: ${outcome.kind}`)
  return configOf(outcome.given)
}

const urls = ['--listen-client-urls', 'https://127.0.0.1:1', '--advertise-client-urls', 'https://127.0.0.1:1']

describe('a configuration', () => {
  it('has etcd’s defaults', () =>
    expect(config()).toEqual({
      ok: true,
      value: {
        name: 'default',
        dataDirectory: 'default.etcd',
        snapshotCount: 10_000,
        snapshotsMax: 5,
        electionTimeoutMs: 1000,
        listenClientUrls: ['http://localhost:2379', 'http://localhost:4001'],
        advertiseClientUrls: ['http://localhost:2379', 'http://localhost:4001'],
        peerUrls: ['http://localhost:2380', 'http://localhost:7001'],
        clusterToken: 'etcd-cluster',
        corsOrigins: [],
        tls: { certFile: undefined, keyFile: undefined, trustedCaFile: undefined, isClientCertRequired: false },
        isDebug: false,
        logFormat: 'etcd',
        isForcedNewCluster: false,
        warnings: ['no data-dir provided, using default data-dir ./default.etcd'],
      },
    }))

  it('names the data directory after the member, and puts the name into the default list', () =>
    expect(config('--name', 'n1')).toMatchObject({ ok: true, value: { name: 'n1', dataDirectory: 'n1.etcd' } }))

  it('takes a snapshot count of 0 for the default', () =>
    expect(config('--snapshot-count', '0')).toMatchObject({ value: { snapshotCount: 10_000 } }))

  it('reads ca-file as trusted-ca-file with client-cert-auth', () =>
    expect(config(...urls, '--cert-file', 'c', '--key-file', 'k', '--ca-file', 'a')).toMatchObject({
      value: { tls: { trustedCaFile: 'a', isClientCertRequired: true } },
    }))

  it.each([
    [
      ['--initial-cluster', 'b=http://localhost:2380'],
      `couldn't find local name "default" in the initial cluster configuration`,
    ],
    [
      ['--initial-cluster', 'default=http://h:1', '--initial-advertise-peer-urls', 'http://h:2'],
      '--initial-cluster must include default=http://h:2 given --initial-advertise-peer-urls=http://h:2',
    ],
    [
      ['--initial-cluster', 'default=http://h:1,default=http://h:1'],
      'initial cluster default=http://h:1,default=http://h:1 has duplicate url',
    ],
    [
      ['--initial-cluster', 'default=http://localhost:2380,b=http://h:1'],
      '-initial-cluster names b beside default, and this build runs one member alone: name only this one',
    ],
    [
      ['--initial-cluster-state', 'existing'],
      '-initial-cluster-state existing asks to join a cluster, which needs other members, and this build runs one member alone: leave the flag out',
    ],
    [['--initial-cluster-state', 'old'], '-initial-cluster-state old is none of new, existing'],
    [
      ['--proxy', 'on'],
      '-proxy on asks for a proxy, which needs other members, and this build runs one member alone: point clients at the member',
    ],
    [['--proxy', 'maybe'], '-proxy maybe is none of off, on, readonly'],
    [
      ['--discovery', 'http://h/x'],
      '-discovery asks for discovery, which needs other members, and this build runs one member alone: give -initial-cluster, or nothing',
    ],
    [
      ['--discovery', 'http://h/x', '--discovery-srv', 'd'],
      'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery" or "discovery-srv"',
    ],
    [
      ['--heartbeat-interval', '300'],
      '-election-timeout[1000ms] should be at least as 5 times as -heartbeat-interval[300ms]',
    ],
    [['--election-timeout', '60000'], '-election-timeout[60000ms] is too long, and should be set less than 50000ms'],
    [
      ['--listen-client-urls', 'http://h:1'],
      '-advertise-client-urls is required when -listen-client-urls is set explicitly',
    ],
    [urls, 'an https URL in -listen-client-urls needs -cert-file and -key-file'],
    [
      [...urls, '--cert-file', 'c', '--key-file', 'k', '--client-cert-auth'],
      '-client-cert-auth needs -trusted-ca-file',
    ],
    [
      ['--wal-dir', '/w'],
      '-wal-dir cannot be used: the log is part of the data directory; leave the flag out, or move -data-dir',
    ],
    [['--log-format', 'xml'], '-log-format xml is none of etcd, text, json, journal'],
  ])('%j is refused: %s', (argv, error) => expect(config(...argv)).toEqual({ ok: false, error }))

  it('says what has no effect', () => {
    const found = config('--data-dir', 'd', '--peer-cert-file', 'c', '--cert-file', 'c', '--enable-pprof')
    expect(found).toMatchObject({
      value: {
        warnings: [
          'The scheme of client url http://localhost:2379 is HTTP while key/cert files are presented. Ignored key/cert files.',
          'The scheme of client url http://localhost:4001 is HTTP while key/cert files are presented. Ignored key/cert files.',
          '-peer-cert-file has no effect on a member that is alone',
          '-enable-pprof has no effect: figures are at /metrics',
        ],
      },
    })
  })
})
