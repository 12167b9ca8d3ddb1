/** What fleetd can be told: all keys of fleet.conf under their old names, and ours. Source: spec/fleet.md §9. */
import {
  booleanOption,
  type ConfigDeclaration,
  type ConfigValues,
  choiceOption,
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
import { version } from './version.ts'

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
  etcdKeyPrefix: stringOption({ help: 'where in the store the cluster is kept', default: `${defaultPrefix}/` }),
  etcdRequestTimeout: numberOption({ help: 'seconds until an answer must begin', default: 1, min: 0.05, max: 60 }),
  engineReconcileInterval: numberOption({
    help: 'seconds between renewals of the lease, which lives five times as long',
    default: 2,
    min: 0.2,
    max: 3600,
  }),
  publicIp: stringOption({ help: 'address to publish; default: that of the default route', default: '' }),
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
  drainOnStop: booleanOption({ help: 'take all units along when stopped', default: false }),
  logFormat: choiceOption({ help: 'form of the log on standard error', default: 'text', choices: logFormats }),
}

export type FleetdConfig = ConfigValues<typeof options>

export const declaration: ConfigDeclaration<typeof options> = {
  name: 'fleetd',
  version,
  summary: 'Places units on the machines of a cluster and runs them through systemd.',
  environmentPrefix: 'FLEET_',
  defaultFile: '/etc/fleet/fleet.conf',
  options,
  argumentHint: 'Did you mean to invoke fleetctl instead?',
}

/** What is given and does nothing, in words for the log. */
export function idleOptions(config: FleetdConfig): readonly string[] {
  const given = [
    config.disableWatches && 'disable_watches: the store is always watched',
    config.enableGrpc && 'enable_grpc: the registry is never served from the leader',
    config.verifyUnits && 'verify_units: signed units are gone since fleet 0.11',
    config.authorizedKeysFile !== '' && 'authorized_keys_file: signed units are gone since fleet 0.11',
  ]
  return given.filter((text) => text !== false)
}
