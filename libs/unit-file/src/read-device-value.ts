/**
 * Values about devices, ports, interfaces and programs of control groups, as systemd 252 takes them. Messages are
 * systemd's.
 */
import { isAddressPrefix, isInterfaceName, isPortRange } from './address.ts'
import type { ValueFinding } from './unit-message.ts'
import {
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readAnyPath,
  readPath,
  readWords,
  type ValueInput,
  type ValueReading,
  warning,
} from './value-reading.ts'
import { parseInteger, parseSize, parseTimeSpan } from './values.ts'
import { firstWord, plainWords, quotedWords } from './words.ts'

/** A device and what follows it, to the end of the line. */
function readDeviceAnd(
  input: ValueInput,
  names: { readonly extract: string; readonly invalid: string },
  readRest: (rest: string) => ValueFinding | undefined,
): ValueReading {
  const first = firstWord(input.value, 0, quotedWords)
  if (!first.ok) return ignored(warning(`Failed to extract ${names.extract} from '${input.value}', ignoring.`))
  const rest = first.value === undefined ? '' : input.value.slice(first.value.rest)
  if (first.value === undefined || rest === '') {
    return ignored(warning(`Invalid ${names.invalid} specified in '${input.value}', ignoring.`))
  }
  const device = input.expand(first.value.word)
  if (!device.ok) {
    return ignored(
      warning(`Failed to resolve unit specifiers in '${first.value.word}', ignoring: ${device.error.message}`),
    )
  }
  const path = readAnyPath(input.key, device.value)
  if (typeof path !== 'string') return ignored(path)
  const complaint = readRest(rest)
  return complaint === undefined ? kept(`${path} ${rest}`) : ignored(complaint)
}

/** Whether the key is one of those that `IO…=` replaced; systemd says so before it looks at the value. */
const isBlockIo = (key: string): boolean => key.startsWith('BlockIO')

function withAdvice(input: ValueInput, reading: ValueReading): ValueReading {
  if (!isBlockIo(input.key)) return reading
  const advice = `Unit uses ${input.key}=; please use IO*= settings instead. Support for ${input.key}= will be removed soon.`
  return { ...reading, findings: [warning(advice), ...reading.findings] }
}

/** `IODeviceWeight=` and the obsolete `BlockIODeviceWeight=`. */
export const deviceAndWeight: Reader = (input) => {
  const [min, max] = isBlockIo(input.key) ? [10, 1000] : [1, 10_000]
  const device = isBlockIo(input.key) ? 'device node' : 'device path'
  const names = { extract: `${device} and weight`, invalid: `${device} or weight` }
  const reading = readDeviceAnd(input, names, (rest) => {
    const weight = parseInteger(rest, { min, max })
    if (weight.ok) return undefined
    const kind = isBlockIo(input.key) ? 'Invalid block IO weight' : 'IO weight'
    return warning(`${kind} '${rest}'${isBlockIo(input.key) ? '' : ' invalid'}, ignoring: ${weight.error.message}`)
  })
  return withAdvice(input, reading)
}

/** `IOReadBandwidthMax=` and its like. */
export const deviceAndBandwidth: Reader = (input) => {
  const names = { extract: 'device node and bandwidth', invalid: 'device node or bandwidth' }
  const reading = readDeviceAnd(input, names, (rest) => {
    if (rest === 'infinity' && !isBlockIo(input.key)) return undefined
    const size = parseSize(rest, 1000n)
    if (size.ok && size.value > 0n) return undefined
    return warning(`Invalid ${isBlockIo(input.key) ? 'Block IO Bandwidth' : 'IO limit'} '${rest}', ignoring.`)
  })
  return withAdvice(input, reading)
}

/** `IODeviceLatencyTargetSec=`. */
export const deviceAndTime: Reader = (input) =>
  readDeviceAnd(input, { extract: 'device path and latency', invalid: 'device path or latency' }, (rest) =>
    parseTimeSpan(rest) === undefined ? warning(`Failed to parse timer value, ignoring: ${rest}`) : undefined,
  )

const isDeviceNode = (path: string): boolean =>
  path === '/dev' || /^\/(?:dev|run\/systemd\/inaccessible)\/[^/]/.test(path) || path === '/run/systemd/inaccessible'

/** `DeviceAllow=`. */
export const deviceAndAccess: Reader = (input) => {
  const first = firstWord(input.value, 0, quotedWords)
  if (!first.ok || first.value === undefined) {
    return ignored(warning(`Failed to extract device path and rights from '${input.value}', ignoring.`))
  }
  const device = input.expand(first.value.word)
  if (!device.ok) {
    return ignored(
      warning(`Failed to resolve unit specifiers in '${first.value.word}', ignoring: ${device.error.message}`),
    )
  }
  const isGroup = /^(?:block|char)-/.test(device.value)
  const path = isGroup ? device.value : readAnyPath(input.key, device.value)
  if (typeof path !== 'string') return ignored(path)
  if (!isGroup && !isDeviceNode(path)) return ignored(warning(`Invalid device node path '${path}', ignoring.`))
  const rights = input.value.slice(first.value.rest)
  if (!/^[rwm]*$/.test(rights)) return ignored(warning(`Invalid device rights '${rights}', ignoring.`))
  return kept(rights === '' ? path : `${path} ${rights}`)
}

/** `IPAddressAllow=` and `IPAddressDeny=`. */
export const addressPrefixes: Reader = (input) =>
  readWords(input, plainWords, invalidSyntax, (word) =>
    /^(?:any|localhost|link-local|multicast)$/.test(word) || isAddressPrefix(word)
      ? word
      : warning(`Address prefix is invalid, ignoring assignment: ${word}`),
  )

/** `RestrictNetworkInterfaces=`. */
export const interfaceNames: Reader = (input) => {
  const isDenied = input.value.startsWith('~')
  const names = { ...input, value: isDenied ? input.value.slice(1) : input.value }
  const reading = readWords(
    names,
    quotedWords,
    () => `Trailing garbage in ${input.key}, ignoring: ${input.value}`,
    (word) => (isInterfaceName(word) ? word : warning(`Invalid interface name, ignoring: ${word}`)),
  )
  return isDenied && reading.values !== undefined
    ? { ...reading, values: reading.values.map((name) => `~${name}`) }
    : reading
}

/** `SocketBindAllow=` and `SocketBindDeny=`: `[ipv4|ipv6:][tcp|udp:]any|PORT|PORT-PORT`. */
export const socketBindRule: Reader = ({ key, value }) => {
  const ports = value.replace(/^(?:ipv4|ipv6)(?::|$)/, '').replace(/^(?:tcp|udp)(?::|$)/, '')
  const isRule = (ports === '' && !value.endsWith(':')) || ports === 'any' || isPortRange(ports)
  return isRule ? kept(value) : ignored(warning(`Unable to parse ${key}= assignment, ignoring: ${value}`))
}

const attachTypes = new Set(
  `ingress egress sock_create sock_ops device bind4 bind6 connect4 connect6 post_bind4 post_bind6 sendmsg4 sendmsg6
   sysctl recvmsg4 recvmsg6 getsockopt setsockopt`.split(/\s+/),
)

/** `BPFProgram=`. */
export const bpfProgram: Reader = ({ key, value, expand }) => {
  const first = firstWord(value, 0, { ...plainWords, separators: ':' })
  const rest = first.ok && first.value !== undefined ? value.slice(first.value.rest) : ''
  if (!first.ok || first.value === undefined || rest === '') {
    return ignored(warning(`Invalid syntax in ${key}=, ignoring: ${value}`))
  }
  const { word } = first.value
  if (!attachTypes.has(word)) return ignored(warning(`Unknown BPF attach type=${word}, ignoring: ${value}`))
  const text = expand(rest)
  if (!text.ok) {
    return ignored(warning(`Failed to resolve unit specifiers in '${rest}', ignoring: ${text.error.message}`))
  }
  const path = readPath(key, text.value)
  return typeof path === 'string' ? kept(`${word}:${path}`) : ignored(path)
}
