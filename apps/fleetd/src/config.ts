/** What fleetd can be told: all keys of fleet.conf under their old names, and ours. Source: spec/fleet.md §9. */
import {
  booleanOption,
  type ConfigDeclaration,
  type Configuration,
  type ConfigValues,
  choiceOption,
  DaemonError,
  describeSource,
  durationOption,
  listOption,
  logFormats,
  mapOption,
  numberOption,
  pathOption,
  secretOption,
  stringOption,
} from '@cluster/daemon'
import { defaultPrefix } from '@cluster/fleet'
import { type BrakePolicy, defaultBrakePolicy } from '@cluster/scheduler'
import { parseNet4 } from '@cluster/subnet'
import { version } from './version.ts'

const unitManagers = ['systemd', 'process'] as const

/** What flannel calls backends. */
const overlays = ['none', 'vxlan', 'host-gw', 'udp'] as const

const options = {
  verbosity: numberOption({ help: 'above 0: debug messages', default: 0 }),
  etcdServers: listOption({
    help: 'endpoints of the store, tried in turn',
    default: ['http://127.0.0.1:2379', 'http://127.0.0.1:4001'],
    validate: (servers) => (servers.length === 0 ? 'expected at least one endpoint' : undefined),
  }),
  etcdUsername: stringOption({ help: 'user of the store', default: '' }),
  etcdPassword: secretOption({ help: 'password of that user' }),
  etcdKeyfile: pathOption({ help: 'key of the client certificate', default: '' }),
  etcdCertfile: pathOption({ help: 'client certificate', default: '' }),
  etcdCafile: pathOption({ help: 'authority that signed the certificate of the store', default: '' }),
  storeDir: pathOption({
    help: 'keep the store in this folder, in this process, instead of asking etcd_servers',
    default: '',
  }),
  storeListen: stringOption({
    help: "HOST:PORT where the store of store_dir serves etcd's v2 API to others; default: nowhere",
    default: '',
  }),
  etcdKeyPrefix: stringOption({ help: 'where in the store the cluster is kept', default: `${defaultPrefix}/` }),
  etcdRequestTimeout: numberOption({ help: 'seconds until an answer must begin', default: 1, min: 0.05, max: 60 }),
  engineReconcileInterval: numberOption({
    help: 'seconds between renewals of the lease, which lives five times as long',
    default: 2,
    min: 0.2,
    max: 3600,
  }),
  publicIp: stringOption({ help: 'address to publish; default: that of the default route', default: '' }),
  machineId: stringOption({
    help: 'identity of this machine, 32 hex digits; default: that in state_dir, else /etc/machine-id',
    default: '',
    validate: (id) => (/^([0-9a-f]{32})?$/.test(id) ? undefined : 'expected 32 lower-case hex digits'),
  }),
  hostName: stringOption({
    help: 'what %H says in units of the process manager; default: the name of this computer',
    default: '',
    validate: (name) => (/^[\w.-]*$/.test(name) ? undefined : 'expected letters, digits, dots and dashes'),
  }),
  stateDir: pathOption({
    help: 'where this machine keeps an identity of its own; default: none, or /var/lib/fleet without /etc/machine-id',
    default: '',
  }),
  metadata: mapOption({ help: 'what units may ask of this machine', default: new Map() }),
  agentTtl: durationOption({
    help: 'how long this machine counts as alive without a sign',
    default: 6000,
    min: 1000,
    max: 3_600_000,
    validate: (ms) => (ms % 1000 === 0 ? undefined : 'expected whole seconds'),
  }),
  tokenLimit: numberOption({ help: 'entries on a page of the API', default: 100, min: 1, max: 65_535, integer: true }),
  disableEngine: booleanOption({ help: 'this machine never places units', default: false }),
  disableWatches: booleanOption({ help: 'kept for old files; has no effect', default: false }),
  enableGrpc: booleanOption({ help: 'kept for old files; has no effect', default: false }),
  unitManager: choiceOption({
    help: 'what runs units: systemd, or processes of our own where systemd is not init or not ours to use',
    default: 'systemd',
    choices: unitManagers,
  }),
  processDir: pathOption({
    help: 'folder of the process manager: unit files, state and logs of its units; this user alone may write there',
    default: '/run/fleet/process',
    validate: (path) => (path.startsWith('/') ? undefined : 'expected an absolute path'),
  }),
  processEnvironment: mapOption({ help: 'variables for every unit of the process manager', default: new Map() }),
  unitsDirectory: pathOption({ help: 'where unit files are kept', default: '/run/fleet/units/' }),
  systemdUser: booleanOption({ help: "use the user's systemd instead of the system's", default: false }),
  verifyUnits: booleanOption({ help: 'kept for old files; has no effect', default: false }),
  authorizedKeysFile: pathOption({ help: 'kept for old files; has no effect', default: '' }),
  listen: listOption({
    help: 'where the API listens: unix:///PATH or 127.0.0.1:PORT; default: sockets from systemd, else /run/fleet.sock',
    default: [],
  }),
  insecureAllowNetwork: booleanOption({
    help: 'let the API listen where other machines can reach it: it has no authentication',
    default: false,
  }),
  brake: booleanOption({
    help: 'when several machines vanish at once, hold back what would move beyond brake_share',
    default: true,
  }),
  brakeShare: numberOption({
    help: 'the share of all placed units that may leave lost machines within brake_window; 1 never brakes',
    default: Number(defaultBrakePolicy.movedShareMax.toFixed(3)),
    min: 0,
    max: 1,
  }),
  brakeWindow: durationOption({
    help: 'how far back moves count, and how close together machines vanish "at once"',
    default: defaultBrakePolicy.windowMs,
    min: 1000,
    max: 86_400_000,
  }),
  overlay: choiceOption({
    help: 'a network between the containers of all machines, as flannel makes it; root only',
    default: 'none',
    choices: overlays,
  }),
  overlayNetwork: stringOption({
    help: 'addresses of the overlay, when its configuration is not in the store yet',
    default: '10.5.0.0/16',
    validate: (network) => (parseNet4(network) === undefined ? 'expected a network such as 10.5.0.0/16' : undefined),
  }),
  overlayIface: stringOption({
    help: 'interface to other machines, by name or address; default: that of the default route',
    default: '',
  }),
  overlayIpMasq: booleanOption({ help: 'masquerade what leaves the overlay', default: true }),
  drainOnStop: booleanOption({ help: 'take all units along when stopped', default: false }),
  logFormat: choiceOption({ help: 'form of the log on standard error', default: 'text', choices: logFormats }),
}

export type FleetdConfig = ConfigValues<typeof options>

export const declaration: ConfigDeclaration<typeof options> = {
  name: 'fleetd',
  version,
  summary: 'Places units on the machines of a cluster and runs them, through systemd or as processes.',
  environmentPrefix: 'FLEET_',
  defaultFile: '/etc/fleet/fleet.conf',
  options,
  argumentHint: 'Did you mean to invoke fleetctl instead?',
}

/**
 * Refuses options that exclude each other, with their places.
 *
 * @throws DaemonError `daemon/bad-config`
 */
export function checkConfig({
  values: { storeDir, storeListen },
  sources,
}: Pick<Configuration<typeof options>, 'values' | 'sources'>): void {
  if (storeDir !== '' && sources.etcdServers.kind !== 'default') {
    throw new DaemonError(
      'daemon/bad-config',
      `store_dir (${describeSource(sources.storeDir)}) and etcd_servers (${describeSource(sources.etcdServers)}) exclude each other`,
      { hint: 'either keep the store here (store_dir), or ask one elsewhere (etcd_servers): leave one of them out' },
    )
  }
  if (storeDir === '' && storeListen !== '') {
    throw new DaemonError(
      'daemon/bad-config',
      `${describeSource(sources.storeListen)}: store_listen without store_dir: there is no store to serve`,
      { hint: 'name the folder of the store with store_dir, or leave store_listen out' },
    )
  }
}

/** When the engine holds back what a mass loss would move. A share of a third is exactly that. */
export function brakeOf({
  brake,
  brakeShare,
  brakeWindow,
}: Pick<FleetdConfig, 'brake' | 'brakeShare' | 'brakeWindow'>): BrakePolicy | 'off' {
  if (!brake) return 'off'
  const isThird = brakeShare === options.brakeShare.default
  const movedShareMax = isThird ? defaultBrakePolicy.movedShareMax : brakeShare
  return { ...defaultBrakePolicy, movedShareMax, windowMs: brakeWindow }
}

/** What is given and does nothing, in words for the log. */
export function idleOptions(config: FleetdConfig): readonly string[] {
  const isProcess = config.unitManager === 'process'
  const given = [
    config.disableWatches && 'disable_watches: the store is always watched',
    config.enableGrpc && 'enable_grpc: the registry is never served from the leader',
    config.verifyUnits && 'verify_units: signed units are gone since fleet 0.11',
    config.authorizedKeysFile !== '' && 'authorized_keys_file: signed units are gone since fleet 0.11',
    isProcess && config.systemdUser && 'systemd_user: unit_manager is process',
    isProcess &&
      config.unitsDirectory !== options.unitsDirectory.default &&
      'units_directory: the process manager keeps unit files in process_dir',
    !isProcess && config.processDir !== options.processDir.default && 'process_dir: unit_manager is systemd',
    !isProcess && config.processEnvironment.size > 0 && 'process_environment: unit_manager is systemd',
    !isProcess && config.hostName !== '' && 'host_name: systemd knows the name of its machine',
    config.storeDir !== '' &&
      (config.etcdUsername !== '' || config.etcdCafile !== '' || config.etcdCertfile !== '') &&
      'etcd_username, etcd_cafile, etcd_certfile: the store of store_dir is in this process',
  ]
  return given.filter((text) => text !== false)
}
