/**
 * What `ip -N -json` and `bridge -json` print, as values. Written against iproute2 6.1; members that nobody here needs are
 * not looked at, and what has another form than expected is an error: half a picture must not be acted on.
 */
import { LinuxNetError } from './errors.ts'
import type { Address, ForwardingEntry, Link, Neighbour, Route, VxlanOptions } from './state/network-state.ts'
import { wholeDestination } from './state/prefix.ts'

type Fields = Readonly<Record<string, unknown>>

/** Links and their addresses, from `ip -N -d -json address show`. */
export function parseAddressShow(text: string): {
  readonly links: readonly Link[]
  readonly addresses: readonly Address[]
} {
  const rows = parseRows('ip address show', text)
  return { links: rows.map(linkOf), addresses: rows.flatMap(addressesOf) }
}

/** Routes, from `ip -N -json route show`. */
export const parseRouteShow = (text: string, family: 4 | 6): readonly Route[] =>
  parseRows('ip route show', text).map((row) => routeOf(row, family))

/** Permanent neighbours, from `ip -N -json neighbour show nud permanent`. */
export const parseNeighbourShow = (text: string): readonly Neighbour[] =>
  parseRows('ip neighbour show', text).flatMap((row) => {
    const [ip, mac, device] = [textIn(row, 'dst'), textIn(row, 'lladdr'), textIn(row, 'dev')]
    return ip === undefined || mac === undefined || device === undefined ? [] : [{ device, ip, mac }]
  })

/** Entries with a remote, from `bridge -json fdb show`: those of vxlan devices. */
export const parseForwardingShow = (text: string): readonly ForwardingEntry[] =>
  parseRows('bridge fdb show', text).flatMap((row) => {
    const [device, mac, remote] = [textIn(row, 'ifname'), textIn(row, 'mac'), textIn(row, 'dst')]
    return device === undefined || mac === undefined || remote === undefined ? [] : [{ device, mac, remote }]
  })

/** The one answer of `ip -N -json route get`. */
export function parseRouteGet(
  text: string,
): { readonly device: string; readonly gateway?: string; readonly source?: string } | undefined {
  const [row] = parseRows('ip route get', text)
  const device = row && textIn(row, 'dev')
  if (row === undefined || device === undefined) return undefined
  const [gateway, source] = [gatewayOf(row), textIn(row, 'prefsrc')]
  return { device, ...(gateway === undefined ? {} : { gateway }), ...(source === undefined ? {} : { source }) }
}

function linkOf(row: Fields): Link {
  const flags = Array.isArray(row['flags']) ? row['flags'] : []
  const info = fieldsIn(row, 'linkinfo')
  const kind = (info && textIn(info, 'info_kind')) ?? ''
  const [mac, master, alias] = [textIn(row, 'address'), textIn(row, 'master'), textIn(row, 'ifalias')]
  return {
    name: required(row, 'ifname', textIn),
    index: required(row, 'ifindex', numberIn),
    kind,
    mtu: required(row, 'mtu', numberIn),
    up: flags.includes('UP'),
    ...(mac === undefined ? {} : { mac }),
    ...(kind === 'vxlan' ? { vxlan: vxlanOf((info && fieldsIn(info, 'info_data')) ?? {}) } : {}),
    ...(master === undefined ? {} : { master }),
    ...(alias === undefined ? {} : { alias }),
    ...(flags.includes('LOOPBACK') ? { loopback: true } : {}),
  }
}

function vxlanOf(data: Fields): VxlanOptions {
  const [underlay, local] = [textIn(data, 'link'), textIn(data, 'local') ?? textIn(data, 'local6')]
  const group = textIn(data, 'group') ?? textIn(data, 'group6') ?? textIn(data, 'remote') ?? textIn(data, 'remote6')
  return {
    vni: numberIn(data, 'id') ?? 0,
    ...(underlay === undefined ? {} : { underlay }),
    ...(local === undefined ? {} : { local }),
    port: numberIn(data, 'port') ?? 0,
    learning: data['learning'] !== false,
    gbp: data['gbp'] === true,
    ...(group === undefined ? {} : { group }),
  }
}

function addressesOf(row: Fields): readonly Address[] {
  const device = required(row, 'ifname', textIn)
  const rows: readonly unknown[] = Array.isArray(row['addr_info']) ? row['addr_info'] : []
  return rows.filter(isFields).flatMap((info) => {
    const [local, length, scope] = [textIn(info, 'local'), numberIn(info, 'prefixlen'), scopeOf(info)]
    if (local === undefined || length === undefined) return []
    return [{ device, address: `${local}/${length}`, ...(scope === undefined ? {} : { scope }) }]
  })
}

function routeOf(row: Fields, family: 4 | 6): Route {
  const [gateway, device, source] = [gatewayOf(row), textIn(row, 'dev'), textIn(row, 'prefsrc')]
  const [metric, scope, type] = [numberIn(row, 'metric'), scopeOf(row), typeOf(row)]
  const onlink = Array.isArray(row['flags']) && row['flags'].includes('onlink')
  return {
    destination: wholeDestination(required(row, 'dst', textIn), family),
    ...(gateway === undefined ? {} : { gateway }),
    ...(device === undefined ? {} : { device }),
    ...(onlink ? { onlink } : {}),
    ...(source === undefined ? {} : { source }),
    protocol: protocolName(textIn(row, 'protocol') ?? 'boot'),
    ...(metric === undefined ? {} : { metric }),
    ...(scope === undefined ? {} : { scope }),
    ...(type === undefined ? {} : { type }),
  }
}

/** A next hop of the other family is printed under another member. */
function gatewayOf(row: Fields): string | undefined {
  const via = fieldsIn(row, 'via')
  return textIn(row, 'gateway') ?? (via && textIn(via, 'host'))
}

// Numbers because of -N, which keeps names that a machine gives to protocols out of the answers: linux/rtnetlink.h.
const protocols: Readonly<Record<string, string>> = {
  1: 'redirect',
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'ra',
  16: 'dhcp',
}
const scopes: Readonly<Record<string, string>> = { 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' }
const types: Readonly<Record<string, string>> = {
  2: 'local',
  3: 'broadcast',
  4: 'anycast',
  5: 'multicast',
  6: 'blackhole',
  7: 'unreachable',
  8: 'prohibit',
  9: 'throw',
  10: 'nat',
}

/** The name of a route's protocol; a number that has none stays. */
export const protocolName = (text: string): string => protocols[text] ?? text

function scopeOf(row: Fields): string | undefined {
  const text = textIn(row, 'scope')
  return text === undefined || text === 'global' || text === '0' ? undefined : (scopes[text] ?? text)
}

function typeOf(row: Fields): string | undefined {
  const text = textIn(row, 'type')
  return text === undefined || text === 'unicast' || text === '1' ? undefined : (types[text] ?? text)
}

function parseRows(what: string, text: string): readonly Fields[] {
  let value: unknown
  try {
    // nothing found is printed as nothing by some commands
    value = text.trim() === '' ? [] : JSON.parse(text)
  } catch (cause) {
    throw notUnderstood(what, text, cause)
  }
  if (!Array.isArray(value)) throw notUnderstood(what, text)
  // an object without members stands for what was filtered out
  return value.filter(isFields).filter((row) => Object.keys(row).length > 0)
}

const notUnderstood = (what: string, text: string, cause?: unknown): LinuxNetError =>
  new LinuxNetError('linux-net/observation', `${what} printed what is not understood: ${text.slice(0, 200)}`, {
    hint: 'iproute2 4.20 or later is needed',
    cause,
  })

function required<Value>(row: Fields, name: string, read: (row: Fields, name: string) => Value | undefined): Value {
  const value = read(row, name)
  if (value === undefined) throw notUnderstood('ip', JSON.stringify(row))
  return value
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function textIn(row: Fields, name: string): string | undefined {
  const value = row[name]
  return typeof value === 'string' ? value : undefined
}

function numberIn(row: Fields, name: string): number | undefined {
  const value = row[name]
  return typeof value === 'number' ? value : undefined
}

function fieldsIn(row: Fields, name: string): Fields | undefined {
  const value = row[name]
  return isFields(value) ? value : undefined
}
