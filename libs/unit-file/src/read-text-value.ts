/** Values that are text with a rule or two: names, addresses of documents, arguments, as systemd 252 takes them. */
import { isInterfaceName } from './address.ts'
import { logNamespace } from './read-sandbox-value.ts'
import { expanded, ignored, invalidSyntax, kept, type Reader, readWords, warning } from './value-reading.ts'
import { isDocumentationUrl } from './values.ts'
import { quotedRawWords, unescapeText } from './words.ts'

/** Text; keys with a rule of their own are looked at by it. */
export const plainText: Reader = (input) => {
  if (input.key === 'LogNamespace') return logNamespace(input)
  if (input.section === 'Unit' && input.key.endsWith('RebootArgument')) return rebootArgument(input)
  return input.option.specifiers ? expanded(input, kept) : kept(input.value)
}

const rebootArgument: Reader = (input) =>
  expanded(input, (argument) =>
    /^[\0-\x7f]{1,255}$/.test(argument)
      ? kept(argument)
      : ignored(warning(`Invalid reboot parameter '${argument}', ignoring.`)),
  )

/** Text with C escapes. */
export const escapedText: Reader = (input) => {
  const text = unescapeText(input.value)
  if (text === undefined) {
    return ignored(warning(`Failed to decode C escaped text '${input.value}', ignoring: Invalid argument`))
  }
  return expanded({ ...input, value: text }, kept)
}

/** Addresses of documentation. */
export const urls: Reader = (input) => {
  const { values = [], findings } = readWords(
    input,
    quotedRawWords,
    invalidSyntax,
    (word) => word,
    (word, message) => `Failed to resolve unit specifiers in ${word}, ignoring: ${message}`,
  )
  // looked at when all words are known
  const bad = values.filter((url) => !isDocumentationUrl(url))
  return {
    values: values.filter(isDocumentationUrl),
    findings: [...findings, ...bad.map((url) => warning(`Invalid URL, ignoring: ${url}`))],
  }
}

/** Elements of letters, digits, `-` and `_`, at least two; only those of a unique name begin with digits. */
const isBusName = (name: string): boolean =>
  name.length <= 255 && /^(?::[\w-]+(?:\.[\w-]+)+|[A-Za-z_-][\w-]*(?:\.[A-Za-z_-][\w-]*)+)$/.test(name)

/** A name on the message bus. */
export const busName: Reader = (input) =>
  expanded(input, (name) => (isBusName(name) ? kept(name) : ignored(warning(`Invalid bus name, ignoring: ${name}`))))

/** The name of a file descriptor that is passed on. */
export const descriptorName: Reader = (input) =>
  expanded(input, (name) =>
    /^[ -9;-~]{1,255}$/.test(name) ? kept(name) : ignored(warning(`Invalid file descriptor name, ignoring: ${name}`)),
  )

/** The name of a network interface. */
export const interfaceName: Reader = ({ value }) =>
  isInterfaceName(value) ? kept(value) : ignored(warning(`Invalid interface name, ignoring: ${value}`))
