/** Whether systemd 252 loads a unit after all of its files are read. First rule that hits decides. Rules: spec/unit-files.md §4.4. */
import { escapePath } from './escape.ts'
import type { ExecCommand } from './exec-line.ts'
import { simplifyPath } from './path-text.ts'
import type { UnitMessage } from './unit-message.ts'
import { isSliceName, pathOfUnitName, type UnitNameParts } from './unit-name.ts'

import { parseBoolean, parseUnsigned } from './values.ts'

export type UnitVerdict = {
  /** Absent: the unit loads. */
  readonly refused?: 'bad-setting' | 'error'
  /** Why, for `error`, where it is not an invalid argument. */
  readonly error?: string
  readonly messages: readonly UnitMessage[]
}

type Settings = ReadonlyMap<string, readonly string[]>
export type JudgedUnit = { readonly settings: Settings; readonly commands: ReadonlyMap<string, readonly ExecCommand[]> }

/** `Type=`, or what it is when it is not given. */
export function serviceType({ settings, commands }: JudgedUnit): string {
  const given = settings.get('Service.Type')?.[0]
  if (given !== undefined) return given
  if (settings.get('Service.BusName') !== undefined) return 'dbus'
  return count(commands, 'ExecStart') > 0 ? 'simple' : 'oneshot'
}

/** The verdict on a unit of any type. */
export function judgeUnit(parts: UnitNameParts, unit: JudgedUnit): UnitVerdict {
  if (parts.type === 'slice' && !isSliceName(parts)) return { refused: 'error', messages: [] }
  if (lacksPath(parts, unit.settings)) return { refused: 'error', messages: [] }
  if (listensAboveParent(unit.settings)) return { refused: 'error', error: 'Operation not permitted', messages: [] }
  const complaint = judges[parts.type]?.(parts, unit)
  if (complaint !== undefined) return { refused: 'bad-setting', messages: [{ priority: 'error', text: complaint }] }
  return { messages: parts.type === 'service' ? serviceRemarks(unit) : [] }
}

type Judge = (parts: UnitNameParts, unit: JudgedUnit) => string | undefined

const count = (commands: JudgedUnit['commands'], key: string): number => commands.get(key)?.length ?? 0
const value = (settings: Settings, name: string): string | undefined => settings.get(name)?.[0]
const isOn = (settings: Settings, name: string): boolean => parseBoolean(value(settings, name) ?? 'no') === true

function judgeService(_parts: UnitNameParts, unit: JudgedUnit): string | undefined {
  const { settings, commands } = unit
  const starts = count(commands, 'ExecStart')
  const type = serviceType(unit)
  const oneshot = type === 'oneshot'
  const succeedsWith = value(settings, 'Unit.SuccessAction') ?? 'none'
  if (starts === 0 && count(commands, 'ExecStop') === 0 && succeedsWith === 'none') {
    return 'Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.'
  }
  if (!oneshot && starts === 0) {
    return 'Service has no ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.'
  }
  if (starts === 0 && !isOn(settings, 'Service.RemainAfterExit') && succeedsWith === 'none') {
    return 'Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set. Refusing.'
  }
  if (!oneshot && starts > 1) {
    return 'Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.'
  }
  if (oneshot && /^(?:always|on-success)$/.test(value(settings, 'Service.Restart') ?? '')) {
    return "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing."
  }
  if (oneshot && value(settings, 'Service.ExitType') === 'cgroup') {
    return "Service has ExitType=cgroup set, which isn't allowed for Type=oneshot services. Refusing."
  }
  if (type === 'dbus' && settings.get('Service.BusName') === undefined) {
    return 'Service is of type D-Bus but no D-Bus service name has been specified. Refusing.'
  }
  if (killsTooLittle(settings, 'Service')) {
    return "Service has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'. Refusing."
  }
  return undefined
}

const killsTooLittle = (settings: Settings, section: string): boolean =>
  value(settings, `${section}.PAMName`) !== undefined &&
  !/^(?:control-group|mixed)$/.test(value(settings, `${section}.KillMode`) ?? 'control-group')

function serviceRemarks(unit: JudgedUnit): readonly UnitMessage[] {
  const { settings } = unit
  const remarks: string[] = []
  const descriptors = settings.has('Service.USBFunctionDescriptors')
  const strings = settings.has('Service.USBFunctionStrings')
  if (descriptors && !strings) {
    remarks.push('Service has USBFunctionDescriptors= setting, but no USBFunctionStrings=. Ignoring.')
  }
  if (!descriptors && strings) {
    remarks.push('Service has USBFunctionStrings= setting, but no USBFunctionDescriptors=. Ignoring.')
  }
  const limited = (value(settings, 'Service.RuntimeMaxSec') ?? 'infinity') !== 'infinity'
  if (limited && serviceType(unit) === 'oneshot') {
    remarks.push('RuntimeMaxSec= has no effect in combination with Type=oneshot. Ignoring.')
  }
  if (!limited && !/^0*$/.test(value(settings, 'Service.RuntimeRandomizedExtraSec') ?? '')) {
    remarks.push('Service has RuntimeRandomizedExtraSec= setting, but no RuntimeMaxSec=. Ignoring.')
  }
  return remarks.map((text) => ({ priority: 'warning', text }))
}

const hasAny = (settings: Settings, pattern: RegExp): boolean =>
  [...settings].some(([name, values]) => pattern.test(name) && values.length > 0)

function judgeSocket(_parts: UnitNameParts, { settings }: JudgedUnit): string | undefined {
  if (!hasAny(settings, /^Socket\.Listen/)) {
    return 'Unit has no Listen setting (ListenStream=, ListenDatagram=, ListenFIFO=, ...). Refusing.'
  }
  const accepts = isOn(settings, 'Socket.Accept')
  if (accepts && !hasAny(settings, /^Socket\.Listen(?:Stream|SequentialPacket)$/)) {
    return 'Unit configured for accepting sockets, but sockets are non-accepting. Refusing.'
  }
  const connections = parseUnsigned(value(settings, 'Socket.MaxConnections') ?? '64')
  if (accepts && connections.ok && connections.value === 0) return 'MaxConnections= setting too small. Refusing.'
  if (accepts && settings.has('Socket.Service')) {
    return 'Explicit service configuration for accepting socket units not supported. Refusing.'
  }
  if (killsTooLittle(settings, 'Socket')) {
    return "Unit has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'. Refusing."
  }
  return undefined
}

/** Whether a socket is at a path with `..`, below which no mounts can be asked for. */
const listensAboveParent = (settings: Settings): boolean =>
  ['Stream', 'Datagram', 'SequentialPacket'].some((kind) =>
    settings.get(`Socket.Listen${kind}`)?.some((address) => /^\/(?:.*\/)?\.\.(?:\/|$)/s.test(address)),
  )

/** Whether a path, escaped, is the unit's own name. */
function isNameOf(path: string, parts: UnitNameParts): boolean {
  const escaped = escapePath(path)
  return escaped.ok && `${escaped.value}.${parts.type}` === parts.name
}

function judgeMount(parts: UnitNameParts, { settings }: JudgedUnit): string | undefined {
  const where = value(settings, 'Mount.Where') ?? pathOfName(parts)
  if (where === undefined || !isNameOf(where, parts)) return "Where= setting doesn't match unit name. Refusing."
  if (!settings.has('Mount.What')) return 'What= setting is missing. Refusing.'
  if (killsTooLittle(settings, 'Mount')) {
    return "Unit has PAM enabled. Kill mode must be set to control-group'. Refusing."
  }
  return undefined
}

function judgeAutomount(parts: UnitNameParts, { settings }: JudgedUnit): string | undefined {
  const where = value(settings, 'Automount.Where') ?? pathOfName(parts)
  if (where === '/') return 'Cannot have an automount unit for the root directory. Refusing.'
  const fits = where !== undefined && isNameOf(where, parts)
  return fits ? undefined : "Where= setting doesn't match unit name. Refusing."
}

function judgeSwap(parts: UnitNameParts, { settings }: JudgedUnit): string | undefined {
  const what = value(settings, 'Swap.What') ?? pathOfName(parts)
  const fits = what !== undefined && isNameOf(what, parts)
  return fits ? undefined : 'Value of What= and unit name do not match, not loading.'
}

/** Where mounts, automounts and swaps say what path they stand for; not given, it is their name's. */
const pathSettings: Readonly<Record<string, string>> = {
  mount: 'Mount.Where',
  automount: 'Automount.Where',
  swap: 'Swap.What',
}

/** Whether the unit must stand for a path and has none: not given, and the name is no path's. */
function lacksPath(parts: UnitNameParts, settings: Settings): boolean {
  const setting = pathSettings[parts.type]
  return setting !== undefined && value(settings, setting) === undefined && pathOfName(parts) === undefined
}

/** What systemd calls a loaded unit that has no `Description=`; absent where that is its name. */
export function defaultDescription(parts: UnitNameParts, settings: Settings): string | undefined {
  if (parts.name === '-.slice') return 'Root Slice'
  if (parts.name === 'system.slice') return 'System Slice'
  if (parts.type === 'mount' || parts.type === 'swap') {
    const path = value(settings, pathSettings[parts.type] ?? '')
    return path === undefined ? pathOfName(parts) : simplifyPath(path)
  }
  const path = parts.type === 'slice' ? pathOfName(parts) : undefined
  return path === undefined ? undefined : `Slice ${path}`
}

function pathOfName(parts: UnitNameParts): string | undefined {
  const path = pathOfUnitName(parts)
  return path.ok ? path.value : undefined
}

const judges: Readonly<Partial<Record<UnitNameParts['type'], Judge>>> = {
  service: judgeService,
  socket: judgeSocket,
  mount: judgeMount,
  automount: judgeAutomount,
  swap: judgeSwap,
  timer: (_parts, { settings }) => {
    if (hasAny(settings, /^Timer\.On(?!ClockChange|TimezoneChange)/)) return undefined
    if (isOn(settings, 'Timer.OnClockChange') || isOn(settings, 'Timer.OnTimezoneChange')) return undefined
    return 'Timer unit lacks value setting. Refusing.'
  },
  path: (_parts, { settings }) =>
    hasAny(settings, /^Path\.(?:Path|DirectoryNotEmpty)/) ? undefined : 'Path unit lacks path setting. Refusing.',
}
