/**
 * The head of a request, HTTP/1.0 and 1.1, from text in which every character is one byte (latin1). Strict where
 * others guess (RFC 9112): what could be read in two ways is refused. Wider than node's parser where etcd is: any
 * token is a method, a target may hold raw bytes from 0x80 on. Refusals are worded as Go's net/http words them.
 */

/** A request that is not answered by the handler; the connection closes after it. */
export type Refusal = {
  readonly kind: 'refusal'
  readonly status: number
  /** What follows the status in the status line, and the body: `Bad Request: malformed Host header`. */
  readonly reason: string
}

export type RequestLine = {
  readonly kind: 'line'
  readonly method: string
  /** Path and query, absolute form reduced; the percent escapes of the path are known to be valid. */
  readonly target: string
  readonly minorVersion: 0 | 1
}

/** All header lines of a request. Holds nothing of the request line: one may serve many requests. */
export type HeaderBlock = {
  readonly kind: 'block'
  /** From the byte after the request line to the end of the empty line. */
  readonly text: string
  /** Four positions a header: name from, to, value from, to. */
  readonly positions: readonly number[]
  /** -1: none. */
  readonly contentLengthBytes: number
  readonly isChunked: boolean
  readonly hostCount: number
  readonly wantsClose: boolean
  readonly wantsKeepAlive: boolean
  readonly expects: 'nothing' | 'continue' | 'unknown'
}

const refusal = (status: number, reason: string): Refusal => ({ kind: 'refusal', status, reason })

/** What cannot be read at all. */
export const badRequest = refusal(400, 'Bad Request')
export const headTooLong = refusal(431, 'Request Header Fields Too Large')
export const requestTooSlow = refusal(408, 'Request Timeout')
export const tooManyConnections = refusal(503, 'Service Unavailable: too many connections')
const missingHost = refusal(400, 'Bad Request: missing required Host header')
const malformedHost = refusal(400, 'Bad Request: malformed Host header')
const invalidName = refusal(400, 'Bad Request: invalid header name')
const invalidValue = refusal(400, 'Bad Request: invalid header value')
const badLength = refusal(400, 'Bad Request: bad Content-Length')
const lengthAndChunked = refusal(400, 'Bad Request: both Content-Length and Transfer-Encoding')
const chunkedBefore11 = refusal(400, 'Bad Request: Transfer-Encoding in HTTP/1.0')
const unsupportedEncoding = refusal(501, 'Not Implemented: unsupported transfer encoding')
export const unsupportedVersion = refusal(505, 'HTTP Version Not Supported: unsupported protocol version')
const unknownExpectation = refusal(417, 'Expectation Failed')

const tokenCharacter = 1
const valueCharacter = 2
const hostCharacter = 4
const hexDigit = 8
const targetCharacter = 16

/** What each byte may be part of. @see RFC 9110 §5.6.2, RFC 9112 §5; hosts as Go's httpguts.ValidHostHeader */
const kinds: Uint8Array = (() => {
  const table = new Uint8Array(256)
  const mark = (characters: string, kind: number): void => {
    for (let at = 0; at < characters.length; at++) {
      const code = characters.charCodeAt(at)
      table[code] = (table[code] ?? 0) | kind
    }
  }
  const lettersAndDigits = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
  mark(`${lettersAndDigits}!#$%&'*+-.^_\`|~`, tokenCharacter)
  mark(`${lettersAndDigits}!$%&'()*+,-.:;=@[]_~`, hostCharacter)
  mark('0123456789abcdefABCDEF', hexDigit)
  for (let code = 0; code < 256; code++) {
    if (code === 9 || (code >= 0x20 && code !== 0x7f)) table[code] = (table[code] ?? 0) | valueCharacter
    if (code > 0x20 && code !== 0x7f) table[code] = (table[code] ?? 0) | targetCharacter
  }
  return table
})()

const isAll = (text: string, from: number, to: number, kind: number): boolean => {
  for (let at = from; at < to; at++) if (((kinds[text.charCodeAt(at)] ?? 0) & kind) === 0) return false
  return true
}

/** Whether a byte can begin a request: told before the line is whole, of TLS spoken to a plain port for example. */
export const isTokenByte = (byte: number): boolean => ((kinds[byte] ?? 0) & tokenCharacter) !== 0

/**
 * Reads a request line, `text` from `from` up to its CRLF at `to`.
 *
 * @returns a refusal for what is no request line, for a target that is no path, for a bad percent escape in the path
 *   and for a version other than 1.0 and 1.1
 */
export function parseRequestLine(text: string, from: number, to: number): RequestLine | Refusal {
  const methodEnd = text.indexOf(' ', from)
  if (methodEnd <= from || methodEnd > to) return badRequest
  const targetEnd = text.indexOf(' ', methodEnd + 1)
  if (targetEnd === -1 || targetEnd > to) return badRequest
  const minorVersion = minorVersionOf(text, targetEnd + 1, to)
  if (typeof minorVersion !== 'number') return minorVersion
  const method = methodOf(text, from, methodEnd)
  if (method === undefined || !isAll(text, methodEnd + 1, targetEnd, targetCharacter)) return badRequest
  const target = targetOf(text.slice(methodEnd + 1, targetEnd))
  if (target === undefined) return badRequest
  return { kind: 'line', method, target, minorVersion }
}

function minorVersionOf(text: string, from: number, to: number): 0 | 1 | Refusal {
  if (to - from !== 8) return badRequest
  if (text.startsWith('HTTP/1.1', from)) return 1
  if (text.startsWith('HTTP/1.0', from)) return 0
  return /^HTTP\/\d\.\d$/.test(text.slice(from, to)) ? unsupportedVersion : badRequest
}

/** The usual ones as constants, so that comparing them later is comparing pointers. */
function methodOf(text: string, from: number, to: number): string | undefined {
  const size = to - from
  if (size === 3) {
    if (text.startsWith('GET', from)) return 'GET'
    if (text.startsWith('PUT', from)) return 'PUT'
  } else if (size === 4) {
    if (text.startsWith('POST', from)) return 'POST'
    if (text.startsWith('HEAD', from)) return 'HEAD'
  }
  return isAll(text, from, to, tokenCharacter) ? text.slice(from, to) : undefined
}

/** Path and query of a request target, absolute form reduced; undefined for no path and for a bad percent escape. */
export function targetOf(sent: string): string | undefined {
  const target = sent.charCodeAt(0) === 0x2f ? sent : pathOfAbsolute(sent)
  return target === undefined || (target.includes('%') && !hasValidEscapes(target)) ? undefined : target
}

function pathOfAbsolute(target: string): string | undefined {
  const [whole, rest = ''] = /^[a-z][a-z0-9+.-]*:\/\/[\w!$%&'()*+,.:;=@[\]~-]+([/?].*)?$/is.exec(target) ?? []
  if (whole === undefined) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Only the path's: what stands in the query is for the handler to judge, as in Go. */
function hasValidEscapes(target: string): boolean {
  const query = target.indexOf('?')
  const end = query === -1 ? target.length : query
  for (let at = target.indexOf('%'); at !== -1 && at < end; at = target.indexOf('%', at + 3)) {
    if (at + 3 > end || !isAll(target, at + 1, at + 3, hexDigit)) return false
  }
  return true
}

/** Reads header lines, each ended by CRLF, and the empty line after them, which must be the end of `text`. */
export function parseHeaderBlock(text: string): HeaderBlock | Refusal {
  const positions: number[] = []
  let contentLengthBytes = -1
  let isChunked = false
  let hostCount = 0
  let wantsClose = false
  let wantsKeepAlive = false
  let expects: HeaderBlock['expects'] = 'nothing'

  for (let from = 0; from < text.length - 2; ) {
    const to = text.indexOf('\r\n', from)
    const colon = text.indexOf(':', from)
    // A line that begins with a space or tab (folded), or has one before the colon, has a name that is no token.
    if (colon === -1 || colon > to) return badRequest
    if (colon === from || !isAll(text, from, colon, tokenCharacter)) return invalidName
    let valueFrom = colon + 1
    let valueTo = to
    while (valueFrom < valueTo && isBlank(text.charCodeAt(valueFrom))) valueFrom++
    while (valueTo > valueFrom && isBlank(text.charCodeAt(valueTo - 1))) valueTo--
    if (!isAll(text, valueFrom, valueTo, valueCharacter)) return invalidValue
    positions.push(from, colon, valueFrom, valueTo)

    switch (colon - from) {
      case 4:
        if (!isNamed(text, from, 'host')) break
        hostCount++
        if (!isAll(text, valueFrom, valueTo, hostCharacter)) return malformedHost
        break
      case 6:
        if (!isNamed(text, from, 'expect')) break
        expects =
          expects !== 'unknown' && text.slice(valueFrom, valueTo).toLowerCase() === '100-continue'
            ? 'continue'
            : 'unknown'
        break
      case 10:
        if (!isNamed(text, from, 'connection')) break
        for (const word of text.slice(valueFrom, valueTo).toLowerCase().split(',')) {
          const token = word.trim()
          if (token === 'close') wantsClose = true
          else if (token === 'keep-alive') wantsKeepAlive = true
        }
        break
      case 14: {
        if (!isNamed(text, from, 'content-length')) break
        const length = text.slice(valueFrom, valueTo)
        // A second one is refused even where it says the same, as node does. 15 digits are exact as a number.
        if (contentLengthBytes !== -1 || !/^\d{1,15}$/.test(length)) return badLength
        contentLengthBytes = Number(length)
        break
      }
      case 17:
        if (!isNamed(text, from, 'transfer-encoding')) break
        if (isChunked || text.slice(valueFrom, valueTo).toLowerCase() !== 'chunked') return unsupportedEncoding
        isChunked = true
        break
      default:
    }
    from = to + 2
  }
  if (isChunked && contentLengthBytes !== -1) return lengthAndChunked
  if (hostCount > 1) return badRequest
  return {
    kind: 'block',
    text,
    positions,
    contentLengthBytes,
    isChunked,
    hostCount,
    wantsClose,
    wantsKeepAlive,
    expects,
  }
}

/** What is wrong with line and headers together, if anything. */
export function refusalOf({ minorVersion }: RequestLine, block: HeaderBlock): Refusal | undefined {
  if (minorVersion === 1) {
    if (block.hostCount === 0) return missingHost
    return block.expects === 'unknown' ? unknownExpectation : undefined
  }
  return block.isChunked ? chunkedBefore11 : undefined
}

/** The first value of a header by its lower-case name, without the blanks around it. */
export function fieldOf({ text, positions }: HeaderBlock, name: string): string | undefined {
  for (let at = 0; at < positions.length; at += 4) {
    const from = positions[at] ?? 0
    if ((positions[at + 1] ?? 0) - from === name.length && isNamed(text, from, name)) {
      return text.slice(positions[at + 2], positions[at + 3])
    }
  }
  return undefined
}

const isBlank = (code: number): boolean => code === 0x20 || code === 9

/** Whether `text` has `name`, which is lower case, at `from`, in any case. */
function isNamed(text: string, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = text.charCodeAt(from + at)
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== name.charCodeAt(at)) return false
  }
  return true
}
