/** `cordons`: which machines get no further scheduled units, and which are left. Ours. */
import { encodeCordons } from '@cluster/fleet-api'
import { type HttpRequest, type HttpResponse, readText } from '@cluster/http'
import { bareAnswer, errorAnswer, jsonAnswer } from './answers.ts'
import type { ApiContext } from './context.ts'
import { fieldOf, readFirstJson } from './read-json.ts'

/** Also those of machines that are away: one that returns is still cordoned. */
export async function listCordons({ readView }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const { cordons } = await readView(1, request.signal)
  const byId = [...cordons].sort(([one], [other]) => (one < other ? -1 : 1))
  return jsonAnswer(encodeCordons(byId.map(([machineId, { drain }]) => ({ machineId, drain }))))
}

/** The body is `{"drain":true}` for a machine that is to be left; without `drain`, or without a body, it is not. */
export async function cordonMachine(
  { registry }: ApiContext,
  request: HttpRequest,
  machine: string,
): Promise<HttpResponse> {
  if (!isMachineId(machine)) return errorAnswer(400, badMachineId)
  const body = await readText(request.body, { sizeBytesMax: 64 * 1024 })
  const json = readFirstJson(body.trim() === '' ? '{}' : body)
  if (!json.ok) return errorAnswer(400, json.error.message)
  const isObject = typeof json.value === 'object' && json.value !== null && !Array.isArray(json.value)
  const drain = isObject ? (fieldOf(Object(json.value), 'drain') ?? false) : ''
  if (typeof drain !== 'boolean') return errorAnswer(400, 'expect an object with true or false under "drain"')
  await registry.cordon(machine, { drain })
  return bareAnswer(204)
}

/** A machine that is not cordoned stays so. */
export async function uncordonMachine({ registry }: ApiContext, machine: string): Promise<HttpResponse> {
  if (!isMachineId(machine)) return errorAnswer(400, badMachineId)
  await registry.uncordon(machine)
  return bareAnswer(204)
}

const badMachineId = 'machine ID invalid: expect letters, digits, dots, dashes and underscores'

/** Stores take `.` and `..` for a way through the tree. */
const isMachineId = (text: string): boolean => /^[A-Za-z0-9_.-]{1,256}$/.test(text) && !/^\.+$/.test(text)
