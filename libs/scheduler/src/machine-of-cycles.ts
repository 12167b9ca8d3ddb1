/** Units that wait for each other by MachineOf: none of them can ever be placed first (trap 40). */
import type { Unit } from './model.ts'
import { compareText } from './order.ts'

/**
 * Every group of units that wait for each other, as a chain that starts with its smallest name and leads back to it:
 * each unit names the next one in MachineOf, the last one the first. A unit that names itself is a chain of one.
 * A group with several cycles is told by one of its shortest through the smallest name. In name order.
 */
export function findMachineOfCycles(
  units: readonly Pick<Unit, 'name' | 'requirements'>[],
): readonly (readonly string[])[] {
  const peers = new Map(units.map(({ name, requirements }) => [name, requirements.machineOf]))
  const cycles: (readonly string[])[] = []
  const told = new Set<string>()
  // A cycle needs both a peer and a follower: all others are left out, layer by layer.
  const inside = [...withoutEnds(peers)]
  const leading = withoutEnds(followersIn(new Map(inside.map((name) => [name, peers.get(name) ?? []]))))
  for (const name of inside.filter((each) => leading.has(each)).sort(compareText)) {
    if (told.has(name)) continue
    const cycle = shortestWayBack(name, peers)
    if (cycle === undefined) continue
    cycles.push(cycle)
    for (const member of strongGroup(name, peers)) told.add(member)
  }
  return cycles
}

type Peers = ReadonlyMap<string, readonly string[]>

/** Names that still have a peer once every unit without one is taken away, again and again. */
function withoutEnds(peers: Peers): ReadonlySet<string> {
  const followers = followersIn(peers)
  const open = new Map([...peers].map(([name, list]) => [name, new Set(list.filter((peer) => peers.has(peer))).size]))
  const ends = [...open].flatMap(([name, count]) => (count === 0 ? [name] : []))
  for (let name = ends.pop(); name !== undefined; name = ends.pop()) {
    open.delete(name)
    for (const follower of followers.get(name) ?? []) {
      const count = (open.get(follower) ?? 0) - 1
      open.set(follower, count)
      if (count === 0) ends.push(follower)
    }
  }
  return new Set(open.keys())
}

function followersIn(peers: Peers): ReadonlyMap<string, readonly string[]> {
  const followers = new Map<string, string[]>()
  for (const [name, list] of peers) {
    for (const peer of new Set(list)) {
      const group = followers.get(peer)
      if (group === undefined) followers.set(peer, [name])
      else group.push(name)
    }
  }
  return followers
}

/** Breadth first, from a unit along MachineOf until it comes up again. */
function shortestWayBack(start: string, peers: Peers): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const name of queue) {
    for (const peer of peers.get(name) ?? []) {
      if (peer === start) return wayTo(name, start, cameFrom)
      if (!peers.has(peer) || cameFrom.has(peer)) continue
      cameFrom.set(peer, name)
      queue.push(peer)
    }
  }
  return undefined
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [end]
  for (let name = end; name !== start; ) {
    name = cameFrom.get(name) ?? start
    way.unshift(name)
  }
  return way
}

/** Everything that can be reached from a unit and from which it can be reached. */
function strongGroup(start: string, peers: Peers): readonly string[] {
  const ahead = reachable(start, peers)
  const behind = reachable(start, followersIn(peers))
  return [...ahead].filter((name) => behind.has(name))
}

function reachable(start: string, edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set([start])
  for (const name of seen) for (const next of edges.get(name) ?? []) seen.add(next)
  return seen
}
