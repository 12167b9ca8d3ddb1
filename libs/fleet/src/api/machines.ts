/** `machines`: who is there, and changes of dynamic metadata. Source: spec/fleet.md §8 "PATCH machines". */
import { encodeMachine, encodePage } from '@cluster/fleet-api'
import { type HttpRequest, type HttpResponse, readText } from '@cluster/http'
import { err, ok, type Result } from '@cluster/prelude'
import { bareAnswer, jsonAnswer, type Refusal, refusal, refused } from './answers.ts'
import { brakeWarning } from './brake.ts'
import type { ApiContext } from './context.ts'
import { pageOf, requestedPage } from './pages.ts'
import { fieldOf, kindOf, readFirstJson } from './read-json.ts'

export async function listMachines({ readView, tokenLimit }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const page = requestedPage(request.query, tokenLimit)
  if (!page.ok) return refused(page.error)
  const view = await readView(page.value, request.signal)
  const machines = [...view.machines.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  const { items, nextPageToken } = pageOf(machines, page.value, tokenLimit)
  const encoded = items.map(({ id, effectiveMetadata, publicIp, cordon }) =>
    encodeMachine({
      id,
      metadata: effectiveMetadata,
      primaryIp: publicIp,
      ...(cordon === undefined ? {} : { cordon: cordon.drain ? 'draining' : 'cordoned' }),
    }),
  )
  return jsonAnswer(encodePage('machines', encoded, nextPageToken), brakeWarning(view))
}

/**
 * All changes are checked before the first is made, and all are made even if nobody waits for the answer any more; a
 * failure of the store in the middle leaves the earlier ones.
 */
export async function patchMachines({ registry }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const changes = readChanges(await readText(request.body, { sizeBytesMax: 1024 * 1024 }))
  if (!changes.ok) return refused(changes.error)
  for (const { machine, name, value } of changes.value) {
    await registry.setMetadata(machine, name, value)
  }
  return bareAnswer(204, [['Content-Type', 'application/json']])
}

/** `value` `''` hides what stands there. */
export type MetadataWrite = { readonly machine: string; readonly name: string; readonly value: string }

/** The writes a body asks for. */
export function readChanges(body: string): Result<readonly MetadataWrite[], Refusal> {
  const json = readFirstJson(body)
  if (!json.ok) return err(refusal(400, json.error.message))
  const list = json.value ?? []
  if (!Array.isArray(list)) {
    const message = `json: cannot unmarshal ${kindOf(list)} into Go value of type []api.machineMetadataOp`
    return err(refusal(400, message))
  }
  const changes: MetadataWrite[] = []
  for (const item of list) {
    const change = readChange(item ?? {})
    if (!change.ok) return err(refusal(400, change.error))
    changes.push(change.value)
  }
  return ok(changes)
}

const pathForm = /^\/([^/]+)\/metadata\/([A-Za-z0-9_.-]+)$/

function readChange(item: unknown): Result<MetadataWrite, string> {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return err(`json: cannot unmarshal ${kindOf(item)} into Go value of type api.machineMetadataOp`)
  }
  const texts: Record<'op' | 'path', string> = { op: '', path: '' }
  for (const field of ['op', 'path'] as const) {
    const found = fieldOf(item, field) ?? ''
    if (typeof found !== 'string') {
      const place = `into Go struct field machineMetadataOp.${field} of type string`
      return err(`json: cannot unmarshal ${kindOf(found)} ${place}`)
    }
    texts[field] = found
  }
  const value = textOf(fieldOf(item, 'value'))
  if (value === undefined) return err('invalid value: expect text, or an object with text under "value"')
  if (texts.op !== 'add' && texts.op !== 'remove' && texts.op !== 'replace') {
    return err('invalid op: expect add, remove, or replace')
  }
  const [, machine, name] = pathForm.exec(texts.path) ?? []
  // Stores take these parts for a way through the tree; found later, they would fail a request that is half done.
  if (machine === undefined || name === undefined || [machine, name].some((part) => part === '.' || part === '..')) {
    return err('machine metadata path invalid')
  }
  if (texts.op === 'remove') return ok({ machine, name, value: '' })
  return value === '' ? err('invalid value: add and replace require a value') : ok({ machine, name, value })
}

/** `{"value":"x"}` as the original takes it, or plain text as its document says (trap 17); `''` when there is none. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value ?? ''
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const inner = fieldOf(value, 'value') ?? ''
  return typeof inner === 'string' ? inner : undefined
}
