/**
 * The first writes of a member: a new cluster of one becomes known to itself; every start publishes the member's name
 * and URLs. What a crash cut off is made up for at the next start. Rules: spec/etcd-v2.md §2.1, §5.1, §8.1.
 */
import { byteStringOf } from '@cluster/kv-store'
import type { Command } from '@cluster/kv-store/v2'
import { KvServerError } from './errors.ts'
import {
  addMemberCommand,
  clusterIdOf,
  clusterVersionCommand,
  clusterVersionOf,
  memberIdOf,
  publishMemberCommand,
  readMember,
  readMembers,
} from './membership.ts'
import type { Replica } from './replica.ts'

/** What a member is told of itself. Peer URLs and token only matter when the data directory is new. */
export type MemberSettings = {
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  readonly clusterToken: string
  /** The version the cluster speaks from its first start: `2.3.0`. */
  readonly clusterVersion: string
  /**
   * Makes a copy or a rest of another cluster one of this member alone: all others are forgotten
   * (`--force-new-cluster`, spec/etcd-v2.md §5.6).
   */
  readonly isForcedNewCluster?: boolean
}

/** What a member gets that was not in the list, which a forced new cluster cannot know better. */
const forcedPeerUrls = ['http://localhost:2380', 'http://localhost:7001']

/** The ids of a cluster that this member begins alone. */
export function identityOf({ peerUrls, clusterToken }: MemberSettings): {
  readonly memberId: string
  readonly clusterId: string
} {
  const memberId = memberIdOf(peerUrls.map(byteStringOf), { clusterToken })
  return { memberId, clusterId: clusterIdOf([memberId]) }
}

/**
 * Writes what is missing and publishes: three indexes on a fresh store, one at a restart.
 *
 * @throws KvServerError `kv-server/start-failed`
 */
export async function bootstrap(replica: Replica, settings: MemberSettings): Promise<void> {
  const { store, status } = replica
  const { memberId } = status
  const others = readMembers(store).filter(({ id }) => id !== memberId)
  if (others.length > 0 && settings.isForcedNewCluster !== true) {
    throw new KvServerError(
      'kv-server/wrong-identity',
      `the data directory knows of ${others.length + 1} members (${others.map(({ id }) => id).join(', ')} beside ${memberId}), and this server runs alone`,
      { hint: 'force a new cluster of this member alone, once, if the others are gone for good' },
    )
  }
  for (const { id } of others) await write(replica, removeMemberCommand(id))
  if (readMember(store, memberId) === undefined) {
    const peerUrls = others.length > 0 ? forcedPeerUrls : settings.peerUrls
    await write(replica, addMemberCommand(memberId, peerUrls.map(byteStringOf)))
  }
  const clientUrls = settings.clientUrls.map(byteStringOf)
  await write(replica, publishMemberCommand(memberId, { name: byteStringOf(settings.name), clientUrls }))
  if (clusterVersionOf(store) === undefined) await write(replica, clusterVersionCommand(settings.clusterVersion))
}

/** A member that is gone: one index. It may come back, as a new cluster may reuse its URLs. */
const removeMemberCommand = (id: string): Command => ({
  kind: 'delete',
  path: `/0/members/${id}`,
  isDirectory: true,
  isRecursive: true,
})

function write(replica: Replica, command: Command): Promise<void> {
  return new Promise((resolve, reject) => {
    replica.propose(command, (settled) => {
      if (settled.kind === 'applied' && settled.outcome.kind === 'done') return resolve()
      const why = settled.kind === 'failed' ? settled.failure : `error ${codeOf(settled.outcome)}`
      reject(
        new KvServerError('kv-server/start-failed', `the store could not make its member known: ${why}`, {
          hint:
            settled.kind === 'failed' && (settled.failure === 'no-space' || settled.failure === 'timeout')
              ? 'see whether the disk is full or stands still'
              : undefined,
        }),
      )
    })
  })
}

const codeOf = (outcome: { readonly kind: string; readonly code?: number }): number | string =>
  outcome.code ?? 'unknown'
