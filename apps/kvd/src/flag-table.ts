/** Every flag that kvd knows: etcd 2.3's, so that its units and scripts keep working (spec/etcd-v2.md §6), and ours. */

/** `listen-urls`: as `urls`, and unix sockets beside them. */
export type FlagKind = 'text' | 'boolean' | 'unsigned' | 'urls' | 'listen-urls'

export type Flag = {
  readonly name: string
  readonly kind: FlagKind
  /** As it would be written on the command line. */
  readonly fallback: string
  readonly help: string
}

export type FlagGroup = { readonly title: string; readonly flags: readonly Flag[] }

const flag = (name: string, kind: FlagKind, fallback: string, help: string): Flag => ({ name, kind, fallback, help })

/** In the order of the help text. */
export const flagGroups: readonly FlagGroup[] = [
  {
    title: 'member',
    flags: [
      flag('name', 'text', 'default', 'name of this member'),
      flag('data-dir', 'text', '', 'where everything is kept; NAME.etcd in the working directory when not given'),
      flag('wal-dir', 'text', '', 'refused: the log is part of the data directory'),
      flag('snapshot-count', 'unsigned', '10000', 'applied entries after which a snapshot is taken'),
      flag(
        'listen-client-urls',
        'listen-urls',
        'http://localhost:2379,http://localhost:4001',
        'where clients are served; unix:///ABSOLUTE/PATH is a socket on this machine',
      ),
      flag(
        'listen-peer-urls',
        'urls',
        'http://localhost:2380,http://localhost:7001',
        'where members will be served; not opened by a member that is alone',
      ),
      flag('heartbeat-interval', 'unsigned', '100', 'milliseconds between the signs of life of a leader'),
      flag(
        'election-timeout',
        'unsigned',
        '1000',
        'milliseconds without one until an election; also bounds a request: 5 s + 2 × this',
      ),
      flag('max-snapshots', 'unsigned', '5', 'snapshots kept; 0: all'),
      flag(
        'max-wals',
        'unsigned',
        '5',
        'accepted: the log is kept as far back as a snapshot needs it, and its segments are used again',
      ),
      flag('cors', 'text', '', 'origins, comma separated, that browsers may call from; *: all'),
    ],
  },
  {
    title: 'clustering',
    flags: [
      flag(
        'advertise-client-urls',
        'urls',
        'http://localhost:2379,http://localhost:4001',
        'client URLs that the member list names',
      ),
      flag(
        'initial-advertise-peer-urls',
        'urls',
        'http://localhost:2380,http://localhost:7001',
        'peer URLs that the member list names; they and the token make the ids',
      ),
      flag(
        'initial-cluster',
        'text',
        'default=http://localhost:2380,default=http://localhost:7001',
        'members at the start: this one, NAME=URL[,NAME=URL]',
      ),
      flag('initial-cluster-state', 'text', 'new', 'new; existing needs other members'),
      flag('initial-cluster-token', 'text', 'etcd-cluster', 'tells apart clusters with the same URLs'),
      flag('strict-reconfig-check', 'boolean', 'false', 'accepted: a member that is alone changes no membership'),
      flag('discovery', 'text', '', 'needs other members: refused'),
      flag('discovery-fallback', 'text', 'proxy', 'belongs to discovery'),
      flag('discovery-proxy', 'text', '', 'belongs to discovery'),
      flag('discovery-srv', 'text', '', 'needs other members: refused'),
    ],
  },
  {
    title: 'proxy',
    flags: [
      flag('proxy', 'text', 'off', 'off; on and readonly need other members'),
      flag('proxy-failure-wait', 'unsigned', '5000', 'belongs to proxy'),
      flag('proxy-refresh-interval', 'unsigned', '30000', 'belongs to proxy'),
      flag('proxy-dial-timeout', 'unsigned', '1000', 'belongs to proxy'),
      flag('proxy-write-timeout', 'unsigned', '5000', 'belongs to proxy'),
      flag('proxy-read-timeout', 'unsigned', '0', 'belongs to proxy'),
    ],
  },
  {
    title: 'security',
    flags: [
      flag('cert-file', 'text', '', 'certificate for https client URLs, PEM'),
      flag('key-file', 'text', '', 'its key, PEM without a passphrase'),
      flag('client-cert-auth', 'boolean', 'false', 'only clients with a certificate of the trusted authority'),
      flag('trusted-ca-file', 'text', '', 'that authority, PEM'),
      flag('ca-file', 'text', '', 'deprecated: trusted-ca-file and client-cert-auth in one'),
      flag('peer-cert-file', 'text', '', 'belongs to the peer URLs'),
      flag('peer-key-file', 'text', '', 'belongs to the peer URLs'),
      flag('peer-client-cert-auth', 'boolean', 'false', 'belongs to the peer URLs'),
      flag('peer-trusted-ca-file', 'text', '', 'belongs to the peer URLs'),
      flag('peer-ca-file', 'text', '', 'belongs to the peer URLs'),
    ],
  },
  {
    title: 'logging and profiling',
    flags: [
      flag('debug', 'boolean', 'false', 'log everything'),
      flag('log-package-levels', 'text', '', 'accepted: levels are for the whole program (see debug)'),
      flag('log-format', 'text', 'etcd', 'etcd: its lines; text, json, journal: as the other daemons'),
      flag(
        'enable-pprof',
        'boolean',
        'false',
        'accepted: there is no Go runtime to look into; figures are at /metrics',
      ),
    ],
  },
  {
    title: 'unsafe',
    flags: [
      flag(
        'force-new-cluster',
        'boolean',
        'false',
        'make a cluster of one member of what the data directory holds; must not stay in a unit',
      ),
    ],
  },
]

export const flags: ReadonlyMap<string, Flag> = new Map(
  flagGroups.flatMap((group) => group.flags.map((one) => [one.name, one] as const)),
)

/** Flags of etcd 0.4 and of the v3 demonstration: taken without effect, with a warning. Their kinds decide how they parse. */
export const ignoredFlags: ReadonlyMap<string, FlagKind> = new Map<string, FlagKind>([
  ['cluster-active-size', 'text'],
  ['cluster-remove-delay', 'text'],
  ['cluster-sync-interval', 'text'],
  ['config', 'text'],
  ['force', 'boolean'],
  ['max-result-buffer', 'text'],
  ['max-retry-attempts', 'text'],
  ['peer-heartbeat-interval', 'text'],
  ['peer-election-timeout', 'text'],
  ['retry-interval', 'text'],
  ['snapshot', 'boolean'],
  ['v', 'boolean'],
  ['vv', 'boolean'],
  ['experimental-v3demo', 'boolean'],
  ['experimental-gRPC-addr', 'text'],
  ['experimental-auto-compaction-retention', 'text'],
])

/** Flags of etcd 0.4 that would change which cluster this is: refused. */
export const refusedFlags: ReadonlyMap<string, string> = new Map([
  ['peers', 'initial-cluster'],
  ['peers-file', 'initial-cluster'],
  ['addr', 'listen-client-urls and advertise-client-urls'],
  ['bind-addr', 'listen-client-urls'],
  ['peer-addr', 'listen-peer-urls and initial-advertise-peer-urls'],
  ['peer-bind-addr', 'listen-peer-urls'],
])
