/**
 * member list, add, update, remove.
 *
 * @see spec/etcd-v2.md §7.5
 */
import { isV2ApiError, type V2Api, type V2Member } from '@cluster/kv-client'
import { type Context, exitCode, type Run } from '../command.ts'
import { failed, printPlainFailure, sayFailure } from '../failure.ts'
import { totalDeadline, withApi } from '../open-api.ts'
import { checkPeerUrl } from '../peer-url.ts'

/** One line for each member. */
export const memberList: Run = async (context, { args }) => {
  if (args.length !== 0) throw failed('No arguments accepted')
  return await withMembers(context, async ({ members }) => {
    const signal = totalDeadline(context)
    const all = await members.list({ signal })
    const leader = await members.leader({ signal }).catch((error: unknown) => {
      throw isV2ApiError(error) ? failed(`Failed to get leader:  ${sayFailure(error)}`) : error
    })
    context.io.stdout.write(all.map((member) => `${describeMember(member, leader)}\n`).join(''))
    return exitCode.done
  })
}

function describeMember({ id, name, peerUrls, clientUrls }: V2Member, leader: V2Member): string {
  const peers = `peerURLs=${peerUrls.join(',')}`
  if (name === '') return `${id}[unstarted]: ${peers}`
  return `${id}: name=${name} ${peers} clientURLs=${clientUrls.join(',')} isLeader=${id === leader.id}`
}

/** Lets a member in, and prints the environment that it is to be started with. */
export const memberAdd: Run = async (context, { args }) => {
  const [name, url, ...others] = args
  if (name === undefined || url === undefined || others.length > 0) {
    throw failed('Provide a name and a single member peerURL')
  }
  const wrong = checkPeerUrl(url)
  return await withMembers(context, async ({ members }) => {
    if (wrong !== undefined) throw failed(wrong)
    const signal = totalDeadline(context)
    const added = await members.add([url], { signal })
    context.io.stdout.write(`Added member named ${name} with ID ${added.id} to cluster\n\n`)
    const all = await members.list({ signal })
    const cluster = all.flatMap((member) =>
      member.peerUrls.map((peerUrl) => `${member.id === added.id ? name : member.name}=${peerUrl}`),
    )
    context.io.stdout.write(`ETCD_NAME="${name}"\n`)
    context.io.stdout.write(`ETCD_INITIAL_CLUSTER="${cluster.join(',')}"\n`)
    context.io.stdout.write('ETCD_INITIAL_CLUSTER_STATE="existing"\n')
    return exitCode.done
  })
}

/** Takes a member out, by its id and not by its name. */
export const memberRemove: Run = async (context, { args }) => {
  const [id, ...others] = args
  if (id === undefined || others.length > 0) throw failed('Provide a single member ID')
  return await withMembers(context, async ({ members }) => {
    const signal = totalDeadline(context)
    const all = await members.list({ signal })
    for (const named of all.filter(({ name }) => name === id)) context.io.stderr.write(nameHint(named))
    if (!all.some((member) => member.id === id)) {
      throw failed(`Couldn't find a member in the cluster with an ID of ${id}.`)
    }
    await members.remove(id, { signal }).catch((error: unknown) => {
      throw isV2ApiError(error)
        ? failed(`Received an error trying to remove member ${id}: ${sayFailure(error)}`)
        : error
    })
    context.io.stdout.write(`Removed member ${id} from cluster\n`)
    return exitCode.done
  })
}

/** Word for word, with etcdctl's name: vectors/etcdctl-v2/members.json. */
const nameHint = ({ name, id }: V2Member): string =>
  `Found a member named ${name}; if this is correct, please use its ID, eg:\n\tetcdctl member remove ${id}\n` +
  'For more details, read the documentation at ' +
  'https://github.com/coreos/etcd/blob/master/Documentation/runtime-configuration.md#remove-a-member\n\n'

/** Gives a member other peer URLs. */
export const memberUpdate: Run = async (context, { args }) => {
  const [id, urls, ...others] = args
  if (id === undefined || urls === undefined || others.length > 0) {
    throw failed('Provide an ID and a list of comma separated peerURL (0xabcd http://example.com,http://example1.com)')
  }
  return await withMembers(context, async ({ members }) => {
    await members.update(id, urls.split(','), { signal: totalDeadline(context) })
    context.io.stdout.write(`Updated member with ID ${id} in cluster\n`)
    return exitCode.done
  })
}

const withMembers = (context: Context, use: (api: V2Api) => Promise<number>): Promise<number> =>
  withApi(context, async (api) => {
    try {
      return await use(api)
    } catch (error) {
      if (context.signal.aborted) throw error
      return printPlainFailure(context.io, saidByServer(error))
    }
  })

/** Only "not found" and "exists" come with their text, as etcdctl has it; another status is a number. */
function saidByServer(error: unknown): unknown {
  if (!isV2ApiError(error) || error.failure.kind !== 'refused') return error
  const { status } = error.failure.refusal
  return [404, 409, 410].includes(status) ? error : failed(`unexpected status code ${status}`)
}
