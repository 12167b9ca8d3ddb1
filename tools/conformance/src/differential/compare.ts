/** What must be the same in two answers: all but what time and chance decide. */
import type { Answer } from './request.ts'

/** Headers that are compared as they are; of others in `present` only whether they are there. */
const compared = [
  'content-type',
  'x-etcd-index',
  'allow',
  'location',
  'x-content-type-options',
  'www-authenticate',
  'x-run',
]
const present = ['x-etcd-cluster-id', 'x-raft-index', 'x-raft-term']

export type AnswerDifference = { readonly at: string; readonly ours: unknown; readonly theirs: unknown }

export function compareAnswers(ours: Answer, theirs: Answer): readonly AnswerDifference[] {
  const found: AnswerDifference[] = []
  const note = (at: string, one: unknown, other: unknown): void => {
    if (one !== other) found.push({ at, ours: one, theirs: other })
  }
  note('status', ours.status, theirs.status)
  for (const name of compared) note(`header ${name}`, ours.headers[name], theirs.headers[name])
  for (const name of present) note(`header ${name} is there`, name in ours.headers, name in theirs.headers)
  if (ours.body === theirs.body) return found
  const [one, other] = [ours.body, theirs.body].map(steady)
  if (one !== other) found.push({ at: 'body', ours: ours.body, theirs: theirs.body })
  else if (!isTtlNear(ours.body, theirs.body)) found.push({ at: 'ttl', ours: ours.body, theirs: theirs.body })
  return found
}

/** The body without times, and with the children of each directory in one order: both servers list them as it comes. */
function steady(body: string): string {
  return body
    .split('\n')
    .map((line) => {
      const timeless = line.replace(/"expiration":"[^"]*"/g, '"expiration":"-"').replace(/"ttl":-?\d+/g, '"ttl":0')
      return timeless.includes('"nodes":[') ? inOrder(timeless) : timeless
    })
    .join('\n')
}

/** Sorts lists of nodes in the JSON text itself, so that escapes and the order of members stay part of the comparison. */
function inOrder(text: string): string {
  const at = text.indexOf('"nodes":[')
  if (at === -1) return text
  const start = at + '"nodes":['.length
  const items: string[] = []
  let depth = 0
  let isQuoted = false
  let from = start
  for (let index = start; index < text.length; index += 1) {
    const character = text[index]
    if (isQuoted) {
      if (character === '\\') index += 1
      else if (character === '"') isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === '{' || character === '[') depth += 1
    else if (character === ']' && depth === 0) {
      if (index > from) items.push(text.slice(from, index))
      return `${text.slice(0, start)}${items.map(inOrder).sort().join()}${inOrder(text.slice(index))}`
    } else if (character === '}' || character === ']') depth -= 1
    else if (character === ',' && depth === 0) {
      items.push(text.slice(from, index))
      from = index + 1
    }
  }
  return text
}

/** Requests reach the servers one after the other: a second may lie between them. */
function isTtlNear(ours: string, theirs: string): boolean {
  const ttls = (body: string): readonly number[] =>
    [...body.matchAll(/"ttl":(-?\d+)/g)].map(([, ttl]) => Number(ttl)).sort((one, other) => one - other)
  const [one, other] = [ttls(ours), ttls(theirs)]
  return one.length === other.length && one.every((ttl, index) => Math.abs(ttl - (other[index] ?? 0)) <= 1)
}
