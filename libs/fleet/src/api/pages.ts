/**
 * Pages of lists. Source: spec/fleet.md §8 "Pages". Arithmetic is modulo 65,536, as recorded, unless the list is so
 * long that this would send clients round in circles (trap 51).
 */
import { decodePageToken, encodePageToken } from '@cluster/fleet-api'
import { err, ok, type Result } from '@cluster/prelude'
import { type Refusal, refusal } from './answers.ts'

export type PageOf<Item> = { readonly items: readonly Item[]; readonly nextPageToken: string | undefined }

/** The page number a query asks for, from 1; 1 when it asks for none. */
export function requestedPage(query: URLSearchParams, limit: number): Result<number, Refusal> {
  const given = query.getAll('nextPageToken')
  if (given.length > 1) return err(refusal(400, 'too many values for page token'))
  const [token] = given
  if (token === undefined) return ok(1)
  const decoded = decodePageToken(token, limit)
  return decoded.ok ? ok(decoded.value.page) : err(refusal(400, decoded.error.message))
}

/** A page that is exactly full carries a token, also when nothing follows. */
export function pageOf<Item>(items: readonly Item[], page: number, limit: number): PageOf<Item> {
  const wrap = (place: number): number => (items.length > 0xffff ? place : place & 0xffff)
  const start = wrap((page - 1) * limit)
  const end = wrap(start + limit)
  if (start >= items.length) return { items: [], nextPageToken: undefined }
  const isFull = items.length >= end
  return {
    items: items.slice(start, isFull ? end : undefined),
    nextPageToken: isFull ? encodePageToken({ limit, page: (page + 1) & 0xffff }) : undefined,
  }
}
