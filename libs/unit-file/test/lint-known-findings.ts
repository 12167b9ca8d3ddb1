/**
 * Errors and warnings in units of Debian 12 that systemd loads without a word. Each is as the catalogue has it; the
 * reason says why its author may live with it. What is not in this list is a false alarm of ours.
 */

export type KnownFinding = { readonly id: string; readonly unit: string }

const reasons: readonly (readonly [id: string, reason: string, units: string])[] = [
  [
    'UF062',
    'systemd guesses the main process, and these fork but once: nothing is lost as long as that stays so',
    `apache-htcacheclean.service apache-htcacheclean@.service apache2.service apache2@.service mdmon@.service
     nfs-idmapd.service rpc-gssd.service rpc-svcgssd.service nfs-mountd.service nfsdcld.service nut-driver@.service`,
  ],
  [
    'UF063',
    'must outlive the stop of the service, since the root file system is on its array',
    'mdadm-grow-continue@.service mdmon@.service',
  ],
  ['UF064', 'an old name that systemd itself warns of', 'freeradius.service'],
  ['UF068', 'is meant to be tried for ever, and says so only by its pause', 'collectd.service containerd.service'],
  ['UF072', '/var/run is a link to /run, and systemd follows it here', 'frr.service frr@.service'],
  [
    'UF082',
    'the other unit has the order, or none is wanted: the two only share their fate',
    `nfs-idmapd.service nfs-mountd.service nfs-server.service rpc-statd.service sssd-pam-priv.socket sssd-pam.socket`,
  ],
  [
    'UF083',
    'runs without a network too: the order only counts where something else waits for one',
    `apt-daily-upgrade.service apt-daily.service dovecot.service etcd.service freeradius.service lighttpd.service
     lxc-net.service rc-local.service.d/debian.conf squid.service tor@.service tor@default.service`,
  ],
  ['UF088', 'an empty line left over from its template', 'glusterd.service'],
]

/** The list, by finding and unit; a drop-in with its directory. */
export const knownFindings: readonly KnownFinding[] = reasons.flatMap(([id, , units]) =>
  units.split(/\s+/).map((unit) => ({ id, unit })),
)
