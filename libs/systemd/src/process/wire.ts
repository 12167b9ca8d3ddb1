/** What a manager and its supervisor say to each other: one JSON object per line over a Unix socket. */
import type { LoadableUnit, UnitRuntime } from '../unit-manager.ts'
import type { HostIdentity } from './host-specifiers.ts'

/** Both sides must be of the same one; another number after every change of the messages. */
export const protocolVersion = 1

/** Longest line; a unit file of this size is none. */
export const messageLengthMax = 16 * 1024 * 1024

export type SupervisorSettings = HostIdentity & {
  /** Variables that every process gets beside systemd's own. */
  readonly environment: Readonly<Record<string, string>>
}

export const defaultSettings: SupervisorSettings = { environment: {} }

export type RequestBody =
  | { readonly method: 'hello'; readonly version: number; readonly settings: SupervisorSettings }
  | { readonly method: 'list' }
  | { readonly method: 'load'; readonly name: string; readonly unit: LoadableUnit }
  | { readonly method: 'unload'; readonly name: string; readonly timeoutMs: number }
  | { readonly method: 'reload' }
  | { readonly method: 'start' | 'stop' | 'reload-unit'; readonly name: string }
  /** Stop everything, then end. */
  | { readonly method: 'end'; readonly timeoutMs: number }

export type Request = { readonly id: number; readonly body: RequestBody }

export type WireError = { readonly code: string; readonly message: string; readonly hint?: string }

export type Reply = {
  readonly id: number
  readonly units?: readonly (readonly [name: string, runtime: UnitRuntime])[]
  readonly warnings?: readonly string[]
  readonly error?: WireError
}

/** Said without being asked. */
export type Notice = { readonly changed: readonly string[] }

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)

/** A line of a manager; undefined for what is none. */
export function parseRequest(line: string): Request | undefined {
  const value = parseObject(line)
  const body = value === undefined ? undefined : parseBody(value['body'])
  const id = value?.['id']
  return typeof id === 'number' && body !== undefined ? { id, body } : undefined
}

function parseBody(body: unknown): RequestBody | undefined {
  if (!isFields(body)) return undefined
  const method = body['method']
  const name = body['name']
  const unit = body['unit']
  const timeoutMs = body['timeoutMs']
  const version = body['version']
  switch (method) {
    case 'hello':
      return typeof version === 'number' ? { method, version, settings: parseSettings(body['settings']) } : undefined
    case 'list':
    case 'reload':
      return { method }
    case 'load':
      return isText(name) && isLoadable(unit) ? { method, name, unit } : undefined
    case 'unload':
      return isText(name) && typeof timeoutMs === 'number' ? { method, name, timeoutMs } : undefined
    case 'start':
    case 'stop':
    case 'reload-unit':
      return isText(name) ? { method, name } : undefined
    case 'end':
      return typeof timeoutMs === 'number' ? { method, timeoutMs } : undefined
    default:
      return undefined
  }
}

const isLoadable = (value: unknown): value is LoadableUnit =>
  isFields(value) && isText(value['text']) && isText(value['hash']) && typeof value['hasInstall'] === 'boolean'

/** Settings as they were sent or kept; what cannot be read is the default. */
export function parseSettings(value: unknown): SupervisorSettings {
  if (!isFields(value)) return defaultSettings
  const environment = value['environment']
  const machineId = value['machineId']
  const hostName = value['hostName']
  const variables = isFields(environment) ? Object.entries(environment) : []
  return {
    environment: Object.fromEntries(variables.flatMap(([name, text]) => (isText(text) ? [[name, text] as const] : []))),
    ...(isText(machineId) && { machineId }),
    ...(isText(hostName) && { hostName }),
  }
}

/** A line of a supervisor. */
export function parseAnswer(line: string): Reply | Notice | undefined {
  const value = parseObject(line)
  if (value === undefined) return undefined
  const changed = value['changed']
  if (isTexts(changed)) return { changed }
  const id = value['id']
  const units: unknown = value['units']
  const warnings = value['warnings']
  const error = value['error']
  if (typeof id !== 'number') return undefined
  return {
    id,
    ...(Array.isArray(units) && { units: units.filter(isEntry) }),
    ...(isTexts(warnings) && { warnings }),
    ...(isWireError(error) && { error }),
  }
}

const isEntry = (value: unknown): value is readonly [string, UnitRuntime] =>
  Array.isArray(value) && isText(value[0]) && isRuntime(value[1])

const isRuntime = (value: unknown): value is UnitRuntime =>
  isFields(value) && isText(value['loadState']) && isText(value['activeState']) && isText(value['subState'])

const isWireError = (value: unknown): value is WireError =>
  isFields(value) && isText(value['code']) && isText(value['message'])

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : undefined
  } catch {
    // the other side was cut off in the middle of a line
    return undefined
  }
}
