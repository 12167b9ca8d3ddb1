/** Every flag that flanneld knows: flannel's, so that its units and scripts keep working (spec/flannel.md §9), and ours. */

/**
 * `list`: comma separated, not trimmed. `repeated`: may be given several times, each time one element; a variable holds
 * one element.
 */
export type FlagKind = 'text' | 'boolean' | 'integer' | 'list' | 'repeated'

export type Flag = {
  readonly name: string
  readonly kind: FlagKind
  /** As it would be written on the command line; empty: none. */
  readonly fallback: string
  readonly help: string
}

export type FlagGroup = { readonly title: string; readonly flags: readonly Flag[] }

const flag = (name: string, kind: FlagKind, fallback: string, help: string): Flag => ({ name, kind, fallback, help })

/** Where the store is: the flags that the commands for people share with the daemon. */
export const storeFlags: readonly Flag[] = [
  flag(
    'etcd-endpoints',
    'list',
    'http://127.0.0.1:4001,http://127.0.0.1:2379',
    'endpoints of the store, comma separated, tried in turn',
  ),
  flag('etcd-prefix', 'text', '/coreos.com/network', 'where in the store the network is kept'),
  flag('etcd-keyfile', 'text', '', 'key of the client certificate'),
  flag('etcd-certfile', 'text', '', 'client certificate'),
  flag('etcd-cafile', 'text', '', 'authority that signed the certificate of the store'),
  flag('etcd-username', 'text', '', 'user of the store'),
  flag(
    'etcd-password',
    'text',
    '',
    'password of that user; every user of this machine can read it in the list of processes: rather give FLANNELD_ETCD_PASSWORD or --etcd-password-file',
  ),
  flag('etcd-password-file', 'text', '', 'file whose first line is that password'),
]

/** In the order of the help text. */
export const flagGroups: readonly FlagGroup[] = [
  { title: 'store', flags: storeFlags },
  {
    title: 'external interface',
    flags: [
      flag(
        'iface',
        'repeated',
        '',
        'name or IPv4 address of the interface to other machines; may be given several times',
      ),
      flag('iface-regex', 'repeated', '', 'pattern for its address, then for its name; tried after every --iface'),
      flag('iface-can-reach', 'text', '', 'the interface through which this address is reached'),
      flag('iface-wait', 'integer', '30', 'seconds to wait for the interface to be there, with an address'),
      flag('public-ip', 'text', '', 'address by which other machines reach this one; default: that of the interface'),
      flag('public-ipv6', 'text', '', 'the same for IPv6'),
    ],
  },
  {
    title: 'what is written on this machine',
    flags: [
      flag('subnet-file', 'text', '/run/flannel/subnet.env', 'file that tells others of the subnet'),
      flag('subnet-dir', 'text', '/run/flannel/networks', 'folder of such files, NAME.env, with --networks'),
      flag('networks', 'list', '', 'run several networks: names below the prefix, comma separated'),
      flag('ip-masq', 'boolean', 'false', 'masquerade what leaves the overlay'),
      flag(
        'filter',
        'text',
        'auto',
        'where rules go: nft, iptables, or auto: iptables where this machine already uses it, else nft',
      ),
      flag('iptables-forward-rules', 'boolean', 'true', 'let traffic of the overlay be forwarded'),
      flag('iptables-resync', 'integer', '5', 'seconds between two looks at the rules'),
    ],
  },
  {
    title: 'lease',
    flags: [
      flag('subnet-lease-renew-margin', 'integer', '60', 'minutes before its end that the lease is renewed, 1 to 1439'),
      flag(
        'lease-lost',
        'text',
        'exit',
        'when another machine has taken our subnet: exit, or reallocate (containers must then be started anew)',
      ),
      flag(
        'udp-trust-senders',
        'boolean',
        'false',
        'udp: take packets from anyone, as flannel does; else only from machines that hold a lease',
      ),
    ],
  },
  {
    title: 'watching over it',
    flags: [
      flag('healthz-ip', 'text', '0.0.0.0', 'where /healthz, /readyz and /metrics are served'),
      flag('healthz-port', 'integer', '0', 'and on which port; 0: nowhere'),
      flag('log-format', 'text', 'glog', 'form of the log on standard error: glog, text, json or journal'),
      flag('v', 'integer', '0', 'above 0: debug messages'),
    ],
  },
]

/** Every flag by name. */
export const flags: ReadonlyMap<string, Flag> = new Map(
  flagGroups.flatMap(({ flags: group }) => group.map((one) => [one.name, one] as const)),
)

/** What the commands take that look at this machine themselves where no daemon runs. */
export const machineFlagNames = [
  'iface',
  'iface-regex',
  'iface-can-reach',
  'public-ip',
  'ip-masq',
  'filter',
  'iptables-forward-rules',
] as const

/** Flags of flannel and its log library that are accepted and do nothing, each with why. */
export const ignoredFlags: ReadonlyMap<string, { readonly kind: FlagKind; readonly why: string }> = new Map([
  ['vmodule', { kind: 'text', why: 'the log has one level; use -v' }],
  ['log_backtrace_at', { kind: 'text', why: 'errors that are bugs always come with their place' }],
  ['logtostderr', { kind: 'boolean', why: 'the log always goes to standard error' }],
  ['alsologtostderr', { kind: 'boolean', why: 'the log always goes to standard error' }],
  ['stderrthreshold', { kind: 'text', why: 'the whole log goes to standard error' }],
  ['log_dir', { kind: 'text', why: 'the log goes to standard error only' }],
])

const clientServer = 'client and server mode ended with flannel 0.5; let every machine ask the store: --etcd-endpoints'
const kubernetes =
  'this flanneld keeps its leases in a store that speaks the etcd v2 API, not in Kubernetes; see --etcd-endpoints'

/** Flags of flannel that are refused by name, with the remedy. */
export const refusedFlags: ReadonlyMap<string, string> = new Map([
  ...['listen', 'remote', 'remote-keyfile', 'remote-certfile', 'remote-cafile'].map(
    (one) => [one, clientServer] as const,
  ),
  ...[
    'kube-subnet-mgr',
    'kube-api-url',
    'kubeconfig-file',
    'kube-annotation-prefix',
    'kube-iface-annotation',
    'set-node-network-unavailable',
  ].map((one) => [one, kubernetes] as const),
  [
    'net-config-path',
    'the network is configured in the store, at PREFIX/config: kvctl set /coreos.com/network/config …',
  ],
])
