/**
 * What every adapter of the port must do, as one vitest suite: `kvContract({ name: 'etcd', open, supports })` inside a
 * test file. It ends with random commands, run beside the model.
 * @packageDocumentation
 */
import { isClusterError, type Result, seededRandom } from '@cluster/prelude'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Conflict, Key, Kv, KvEntry, KvEvent, PutOptions, Revision } from './kv.ts'
import { createManualClock } from './manual-clock.ts'
import { createModelKv } from './model-kv.ts'
import { toRevision } from './revision.ts'

/** A store for one run of the suite. Each test works below a prefix of its own. */
export type ContractStore = {
  readonly kv: Kv
  /** Moves the store's time forward; absent: its time is real. */
  readonly advance?: (ms: number) => Promise<void>
  /** Makes the store forget what happened up to now. */
  readonly compact: () => Promise<void>
  readonly close: () => PromiseLike<void>
}

/** What stores may differ in. */
export type ContractSupports = {
  /** A conflict tells what stood there. */
  readonly found: boolean
  /** Directories outlive what was in them, and stand in the way of values. */
  readonly directories: boolean
}

export type ContractOptions = {
  readonly name: string
  readonly open: () => Promise<ContractStore>
  readonly supports: ContractSupports
}

/** Declares the suite. */
export function kvContract({ name, open, supports }: ContractOptions): void {
  describe(`${name} keeps the contract of a key-value store`, () => {
    let opened: ContractStore | undefined
    let prefixes = 0
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened?.close())

    const store = (): ContractStore => {
      if (opened === undefined) throw new Error('the store was not opened')
      return opened
    }
    const start = () => {
      prefixes += 1
      return { kv: store().kv, at: `/contract-${prefixes}` }
    }

    describe('reading', () => {
      it('finds nothing below a prefix that does not exist, and says as of when', async () => {
        const { kv, at } = start()
        const before = await put(kv, `${at}-other/a`, '1')
        const snapshot = await kv.range(at)
        expect(snapshot.entries).toEqual([])
        expect(snapshot.revision).toBeGreaterThanOrEqual(before)
      })

      it('lists everything below a prefix, not the prefix, not its namesakes, in byte order', async () => {
        const { kv, at } = start()
        // U+FF5E sorts before U+1F600 by bytes, after it by JavaScript's code units.
        const below = ['/a', '/a b', '/b/c/d', '/b/e', '/b.f', '/\uff5e', '/\u{1f600}']
        for (const path of [...below].reverse()) await put(kv, at + path, path)
        await put(kv, `${at}x/a`, 'namesake')
        const { entries } = await kv.range(at)
        const bytes = (key: Key): string =>
          [...new TextEncoder().encode(key)].map((byte) => String.fromCharCode(byte)).join('')
        const sorted = below.map((path) => at + path).sort((left, right) => (bytes(left) < bytes(right) ? -1 : 1))
        expect(entries.map(({ key }) => key)).toEqual(sorted)
        expect(entries.every(({ key, value }) => key === at + value)).toBe(true)
      })

      it('reads the whole store below the slash', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/a`, '1')
        expect((await kv.range('/')).entries.map(({ key }) => key)).toContain(`${at}/a`)
      })

      it('gives one entry with the revision that its put answered', async () => {
        const { kv, at } = start()
        const revision = await put(kv, `${at}/a`, 'x')
        expect(await kv.get(`${at}/a`)).toEqual({ key: `${at}/a`, value: 'x', revision })
        expect((await kv.range(at)).entries).toEqual([{ key: `${at}/a`, value: 'x', revision }])
      })

      it('finds no entry where there is none: absent, a directory, below a value', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/dir/value`, 'x')
        for (const key of [`${at}/none`, `${at}/dir`, `${at}/dir/value/below`])
          expect(await kv.get(key)).toBeUndefined()
        expect((await kv.range(`${at}/dir/value`)).entries).toEqual([])
      })
    })

    describe('values and keys', () => {
      it.each<[string, string]>([
        ['nothing', ''],
        ['spaces and signs of forms', ' a+b=c&d;e%41%zz '],
        ['lines', 'a\nb\r\n\tc\n'],
        ['what JSON and HTML escape', '"\\/<>&\'\u2028\u2029'],
        ['every control character', String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code), 127)],
        ['languages and pairs', 'Grüße, 世界, שלום, \u{1f680}\u{10ffff}'],
        ['forms that look the same', '\u00e9 e\u0301'],
        ['text that looks like an answer', '{"errorCode":100,"node":{"dir":true}}'],
        ['300 kB', 'läng'.repeat(60_000)],
      ])('keeps a value of %s', async (_, value) => {
        const { kv, at } = start()
        await put(kv, `${at}/key`, value)
        expect((await kv.get(`${at}/key`))?.value).toBe(value)
        expect((await kv.range(at)).entries[0]?.value).toBe(value)
      })

      it('keeps U+FFFD in place of half a pair', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/key`, 'a\ud800b')
        expect((await kv.get(`${at}/key`))?.value).toBe('a\ufffdb')
      })

      it.each([
        'web@1.service',
        'dev-disk\\x2dby.swap',
        'a:b',
        'a b',
        '100%',
        '%41',
        '%2F',
        'a+b',
        'a;b',
        'a?b#c',
        'a&b=c',
        '~!*()\'"',
        'ä',
        '\u{1f600}',
        '...',
        'a\tb',
      ])('keeps %j as a part of a key', async (part) => {
        const { kv, at } = start()
        const key = `${at}/${part}/${part}`
        const watched = watch(kv, at, (await kv.range(at)).revision)
        const revision = await put(kv, key, part)
        expect(await kv.get(key)).toEqual({ key, value: part, revision })
        expect(await watched.take(1)).toEqual([{ type: 'put', key, value: part, revision }])
        expect((await kv.delete(key)).ok).toBe(true)
        await watched.stop()
      })

      it.each(['', 'a', '/', '/a/', '//a', '/a//b', '/a/./b', '/a/../b', `/${'x'.repeat(5000)}`])(
        'refuses %.20j as a key',
        async (key) => {
          const { kv } = start()
          expect(await codeOf(kv.get(key))).toBe('kv/invalid-key')
          expect(await codeOf(kv.put(key, 'x'))).toBe('kv/invalid-key')
          expect(await codeOf(kv.delete(key))).toBe('kv/invalid-key')
          if (key !== '/') expect(await codeOf(kv.range(key))).toBe('kv/invalid-key')
          if (key !== '/') expect(await codeOf(kv.deletePrefix(key))).toBe('kv/invalid-key')
        },
      )

      it('refuses a value below a value, and says which', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/file`, 'x')
        const error = await kv.put(`${at}/file/below`, 'y').catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'kv/invalid-key', message: expect.stringContaining(`${at}/file`) })
      })

      it.runIf(supports.directories)('refuses a value in place of a directory', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/dir/a`, 'x')
        expect(await codeOf(kv.put(`${at}/dir`, 'y'))).toBe('kv/invalid-key')
        expect(await codeOf(kv.put(`${at}/dir`, '', { onlyIf: { kind: 'present' } }))).toBe('kv/invalid-key')
        expect(await codeOf(kv.put(`${at}/dir`, 'y', { onlyIf: { kind: 'value', value: '' } }))).toBe('kv/invalid-key')
        expect((await kv.put(`${at}/dir`, 'y', { onlyIf: { kind: 'absent' } })).ok).toBe(false)
        expect(await kv.delete(`${at}/dir`)).toEqual(conflictAt(`${at}/dir`, undefined))
        expect((await kv.get(`${at}/dir/a`))?.value).toBe('x')
      })
    })

    describe('conditions', () => {
      const expectConflict = async (result: Result<Revision, Conflict>, key: Key, found: KvEntry | undefined) => {
        if (supports.found) expect(result).toEqual(conflictAt(key, found))
        else expect(result).toMatchObject({ ok: false, error: { kind: 'conflict', key } })
      }

      it.each<[string, string, (there: KvEntry) => PutOptions['onlyIf'], boolean]>([
        ['absent, but it is there', 'old', () => ({ kind: 'absent' }), false],
        ['present, and it is', 'old', () => ({ kind: 'present' }), true],
        ['a value that is right', 'old', () => ({ kind: 'value', value: 'old' }), true],
        ['a value that is wrong', 'old', () => ({ kind: 'value', value: 'Old' }), false],
        ['an empty value that is right', '', () => ({ kind: 'value', value: '' }), true],
        ['an empty value that is wrong', 'old', () => ({ kind: 'value', value: '' }), false],
        ['a value where it is empty', '', () => ({ kind: 'value', value: 'old' }), false],
        ['a revision that is right', 'old', ({ revision }) => ({ kind: 'revision', revision }), true],
        [
          'a revision that is wrong',
          'old',
          ({ revision }) => ({ kind: 'revision', revision: toRevision(revision - 1) }),
          false,
        ],
        ['revision 0', 'old', () => ({ kind: 'revision', revision: toRevision(0) }), false],
      ])('put and delete only if %s', async (_, value, onlyIfOf, holds) => {
        const { kv, at } = start()
        const key = `${at}/key`
        const there: KvEntry = { key, value, revision: await put(kv, key, value) }
        const written = await kv.put(key, 'new', { onlyIf: onlyIfOf(there) ?? { kind: 'absent' } })
        expect(written.ok).toBe(holds)
        if (!holds) await expectConflict(written, key, there)
        expect((await kv.get(key))?.value).toBe(holds ? 'new' : value)

        const again: KvEntry = { key, value, revision: await put(kv, key, value) }
        const deleted = await kv.delete(key, { onlyIf: onlyIfOf(again) ?? { kind: 'absent' } })
        expect(deleted.ok).toBe(holds)
        if (!holds) await expectConflict(deleted, key, again)
        expect((await kv.get(key)) === undefined).toBe(holds)
      })

      it.each<[string, PutOptions['onlyIf'], boolean]>([
        ['absent', { kind: 'absent' }, true],
        ['present', { kind: 'present' }, false],
        ['a value', { kind: 'value', value: 'x' }, false],
        ['an empty value', { kind: 'value', value: '' }, false],
        ['a revision', { kind: 'revision', revision: toRevision(1) }, false],
      ])('put only if %s, where nothing is', async (_, onlyIf, holds) => {
        const { kv, at } = start()
        const key = `${at}/key`
        const result = await kv.put(key, 'new', onlyIf === undefined ? {} : { onlyIf })
        expect(result.ok).toBe(holds)
        if (!holds) expect(result).toEqual(conflictAt(key, undefined))
        const deleted = await kv.delete(`${at}/none`, onlyIf === undefined ? {} : { onlyIf })
        expect(deleted).toEqual(conflictAt(`${at}/none`, undefined))
      })

      it('a write that is refused leaves no trace', async () => {
        const { kv, at } = start()
        const revision = await put(kv, `${at}/key`, 'old')
        await kv.put(`${at}/key`, 'new', { onlyIf: { kind: 'absent' } })
        await kv.delete(`${at}/none`)
        expect(await kv.get(`${at}/key`)).toEqual({ key: `${at}/key`, value: 'old', revision })
        const watched = watch(kv, at, revision)
        await put(kv, `${at}/last`, '')
        expect((await watched.take(1)).map(({ key }) => key)).toEqual([`${at}/last`])
        await watched.stop()
      })

      it('one of many creates wins', async () => {
        const { kv, at } = start()
        const create = (value: number) => kv.put(`${at}/key`, String(value), { onlyIf: { kind: 'absent' } })
        const results = await Promise.all(Array.from({ length: 10 }, (_, value) => create(value)))
        expect(results.filter(({ ok }) => ok)).toHaveLength(1)
        expect((await kv.get(`${at}/key`))?.value).toBe(String(results.findIndex(({ ok }) => ok)))
      })

      it('no increment is lost among writers that compare revisions', async () => {
        const { kv, at } = start()
        const key = `${at}/count`
        await put(kv, key, '0')
        const increment = async (): Promise<void> => {
          for (;;) {
            const entry = await kv.get(key)
            if (entry === undefined) throw new Error('the counter is gone')
            const onlyIf = { kind: 'revision', revision: entry.revision } as const
            if ((await kv.put(key, String(Number(entry.value) + 1), { onlyIf })).ok) return
          }
        }
        await Promise.all(
          Array.from({ length: 4 }, async () => {
            for (let count = 0; count < 5; count++) await increment()
          }),
        )
        expect((await kv.get(key))?.value).toBe('20')
      })
    })

    describe('time to live', () => {
      it('is shown while it lasts, and ends with a put without one', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/key`, 'x', { ttlSeconds: 100 })
        const watched = watch(kv, at, (await kv.range(at)).revision)
        expect((await kv.get(`${at}/key`))?.ttlSeconds).toSatisfy((ttl: number) => ttl > 90 && ttl <= 100)
        expect((await kv.range(at)).entries[0]?.ttlSeconds).toSatisfy((ttl: number) => ttl > 90 && ttl <= 100)
        await put(kv, `${at}/key`, 'x', { ttlSeconds: 500, onlyIf: { kind: 'value', value: 'x' } })
        expect((await kv.get(`${at}/key`))?.ttlSeconds).toSatisfy((ttl: number) => ttl > 490 && ttl <= 500)
        await put(kv, `${at}/key`, 'x')
        expect((await kv.get(`${at}/key`))?.ttlSeconds).toBeUndefined()
        const [refreshed, lasting] = await watched.take(2)
        expect(refreshed).toMatchObject({ type: 'put', value: 'x', ttlSeconds: expect.any(Number) })
        expect(lasting).not.toHaveProperty('ttlSeconds')
        await watched.stop()
      })

      it('ends the entry, tells watchers, and what was put again in time stays', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/gone`, 'x', { ttlSeconds: 1 })
        await put(kv, `${at}/kept`, 'x', { ttlSeconds: 1 })
        await put(kv, `${at}/kept`, 'x', { ttlSeconds: 1000 })
        const watched = watch(kv, at, (await kv.range(at)).revision)
        await store().advance?.(2000)
        const [event] = await watched.take(1)
        expect(event).toMatchObject({ type: 'delete', key: `${at}/gone`, expired: true })
        expect((await kv.range(at)).entries.map(({ key }) => key)).toEqual([`${at}/kept`])
        expect(await kv.get(`${at}/gone`)).toBeUndefined()
        expect((await kv.put(`${at}/gone`, 'y', { onlyIf: { kind: 'absent' } })).ok).toBe(true)
        await watched.stop()
      })
    })

    describe('removing a prefix', () => {
      it('removes it and everything below, not its namesakes, in one event', async () => {
        const { kv, at } = start()
        for (const path of ['/d/a', '/d/b/c', '/dx/a']) await put(kv, at + path, '1')
        const watched = watch(kv, at, (await kv.range(at)).revision)
        const revision = await kv.deletePrefix(`${at}/d`)
        expect((await kv.range(at)).entries.map(({ key }) => key)).toEqual([`${at}/dx/a`])
        expect(await watched.take(1)).toEqual([{ type: 'delete-prefix', key: `${at}/d`, revision, expired: false }])
        expect((await kv.put(`${at}/d`, 'now a value')).ok).toBe(true)
        await watched.stop()
      })

      it('tells those who watch the prefix itself or below it, about their own prefix', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/d/b/c`, '1')
        const { revision } = await kv.range(at)
        const same = watch(kv, `${at}/d`, revision)
        const below = watch(kv, `${at}/d/b`, revision)
        const beside = watch(kv, `${at}/e`, revision)
        await put(kv, `${at}/d/b/c`, '2')
        await Promise.all([same.take(1), below.take(1)])
        await kv.deletePrefix(`${at}/d`)
        expect(await same.take(1)).toMatchObject([{ type: 'delete-prefix', key: `${at}/d` }])
        expect(await below.take(1)).toMatchObject([{ type: 'delete-prefix', key: `${at}/d/b` }])
        await put(kv, `${at}/e/a`, '1')
        expect(await beside.take(1)).toMatchObject([{ type: 'put', key: `${at}/e/a` }])
        await Promise.all([same.stop(), below.stop(), beside.stop()])
      })

      it('removes a single value, too, and does nothing where nothing is', async () => {
        const { kv, at } = start()
        await put(kv, `${at}/a`, '1')
        const { revision } = await kv.range(at)
        const watched = watch(kv, at, revision)
        expect(await kv.deletePrefix(`${at}/none`)).toBeGreaterThanOrEqual(revision)
        expect(await kv.deletePrefix(`${at}/a/below`)).toBeGreaterThanOrEqual(revision)
        await kv.deletePrefix(`${at}/a`)
        expect(await watched.take(1)).toMatchObject([{ type: 'delete', key: `${at}/a`, expired: false }])
        await watched.stop()
      })
    })

    describe('watching', () => {
      it('tells what happens, in order, and only below the prefix', async () => {
        const { kv, at } = start()
        const watched = watch(kv, `${at}/d`, (await kv.range(at)).revision)
        await put(kv, `${at}/d`.concat('x/a'), 'namesake')
        const first = await put(kv, `${at}/d/a`, '1')
        const second = await put(kv, `${at}/d/b/c`, '2')
        const third = await put(kv, `${at}/d/a`, '1')
        const deleted = await kv.delete(`${at}/d/a`)
        expect(await watched.take(4)).toEqual([
          { type: 'put', key: `${at}/d/a`, value: '1', revision: first },
          { type: 'put', key: `${at}/d/b/c`, value: '2', revision: second },
          { type: 'put', key: `${at}/d/a`, value: '1', revision: third },
          { type: 'delete', key: `${at}/d/a`, revision: deleted.ok ? deleted.value : undefined, expired: false },
        ])
        await watched.stop()
      })

      it('starts where it is told, in the past, and misses and repeats nothing', async () => {
        const { kv, at } = start()
        const revisions: Revision[] = []
        for (let count = 0; count < 10; count++) revisions.push(await put(kv, `${at}/key`, String(count)))
        const watched = watch(kv, at, revisions[3] ?? toRevision(0))
        expect(values(await watched.take(6))).toEqual(['4', '5', '6', '7', '8', '9'])
        await put(kv, `${at}/key`, 'now')
        expect(values(await watched.take(1))).toEqual(['now'])
        await watched.stop()
      })

      it('keeps what one has no time to take yet', async () => {
        const { kv, at } = start()
        const watched = watch(kv, at, (await kv.range(at)).revision)
        await put(kv, `${at}/key`, 'first')
        await watched.take(1)
        for (let count = 0; count < 100; count++) await put(kv, `${at}/key`, String(count))
        expect(values(await watched.take(100))).toEqual(Array.from({ length: 100 }, (_, count) => String(count)))
        await watched.stop()
      })

      it('sees each of many writes at once exactly once, by growing revisions', async () => {
        const { kv, at } = start()
        const watched = watch(kv, at, (await kv.range(at)).revision)
        await Promise.all(Array.from({ length: 50 }, (_, count) => put(kv, `${at}/${count}`, String(count))))
        const events = await watched.take(50)
        expect(new Set(values(events)).size).toBe(50)
        expect(events.every((event, at) => event.revision > (events[at - 1]?.revision ?? 0))).toBe(true)
        await watched.stop()
      })

      it('ends without an error when its signal fires, before or while it waits', async () => {
        const { kv, at } = start()
        const { revision } = await kv.range(at)
        for await (const _ of kv.watch(at, revision, AbortSignal.abort())) throw new Error('nothing happened')
        const watched = watch(kv, at, revision)
        await put(kv, `${at}/key`, '1')
        await watched.take(1)
        expect(await watched.stop()).toBe('returned')
      })

      it('refuses to start before what the store still knows', async () => {
        const { kv, at } = start()
        const revision = await put(kv, `${at}/key`, '1')
        await put(kv, `${at}/key`, '2')
        await store().compact()
        const watched = watch(kv, at, revision)
        expect(await watched.ended()).toBe('kv/compacted')
        const current = watch(kv, at, (await kv.range(at)).revision)
        await put(kv, `${at}/key`, '3')
        expect(values(await current.take(1))).toEqual(['3'])
        await current.stop()
      })
    })

    it('gives up when the signal fires', async () => {
      const { kv, at } = start()
      const signal = AbortSignal.abort()
      expect(await codeOf(kv.range(at, signal))).toBe('kv/aborted')
      expect(await codeOf(kv.get(`${at}/a`, signal))).toBe('kv/aborted')
      expect(await codeOf(kv.put(`${at}/a`, '1', { signal }))).toBe('kv/aborted')
      expect(await codeOf(kv.delete(`${at}/a`, { signal }))).toBe('kv/aborted')
      expect(await codeOf(kv.deletePrefix(at, signal))).toBe('kv/aborted')
      expect(await kv.get(`${at}/a`)).toBeUndefined()
    })

    it.runIf(supports.directories).each([1, 2, 3, 4])(
      'answers random commands as the model does, seed %d',
      async (seed) => {
        const { kv, at } = start()
        const model = createModelKv({ clock: createManualClock() })
        const stores = [kv, model]
        const starts = await Promise.all(stores.map(async (each) => (await each.range(at)).revision))
        const watches = stores.map((each, which) => watch(each, at, starts[which] ?? toRevision(0)))
        const random = seededRandom(seed)
        let events = 0
        for (let step = 0; step < 60; step++) {
          const command = randomCommand(random.next, at)
          const [real, expected] = [await command.run(kv), await command.run(model)]
          expect(real, `step ${step}: ${command.name}`).toBe(expected)
          if (expected === 'written') events += 1
        }
        const contents = await Promise.all(stores.map(async (each) => withoutRevisions((await each.range(at)).entries)))
        expect(contents[0]).toEqual(contents[1])
        const told = await Promise.all(watches.map(async (each) => withoutRevisions(await each.take(events))))
        expect(told[0]).toEqual(told[1])
        await Promise.all(watches.map((each) => each.stop()))
      },
    )
  })
}

type Command = { readonly name: string; readonly run: (kv: Kv) => Promise<string> }

/** One of the port's writes on one of a few keys that stand in each other's way. */
function randomCommand(next: () => number, at: Key): Command {
  const pick = <T>(...choices: readonly [T, ...T[]]): T => choices[Math.floor(next() * choices.length)] ?? choices[0]
  const key = at + pick('/a', '/a/b', '/a/b/c', '/d', '/d/e', '/f')
  const value = pick('', 'x', 'y')
  const onlyIf = pick<PutOptions['onlyIf']>(
    undefined,
    undefined,
    { kind: 'absent' },
    { kind: 'present' },
    { kind: 'value', value: pick('', 'x', 'y') },
  )
  const condition = onlyIf === undefined ? {} : { onlyIf }
  const name = `${key} ${JSON.stringify(value)} ${JSON.stringify(condition)}`
  return pick<Command>(
    { name: `put ${name}`, run: (kv) => outcomeOf(kv.put(key, value, condition)) },
    { name: `put ${name}`, run: (kv) => outcomeOf(kv.put(key, value, condition)) },
    { name: `delete ${name}`, run: (kv) => outcomeOf(kv.delete(key, condition)) },
    {
      name: `deletePrefix ${key}`,
      run: async (kv) => {
        const before = await kv.range(at)
        return (await kv.deletePrefix(key)) > before.revision ? 'written' : 'nothing'
      },
    },
  )
}

const outcomeOf = (promise: Promise<Result<Revision, Conflict>>): Promise<string> =>
  promise.then(
    (result) => (result.ok ? 'written' : 'conflict'),
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

const withoutRevisions = (items: readonly (KvEntry | KvEvent)[]): readonly unknown[] =>
  items.map(({ revision: _, ...rest }) => rest)

const conflictAt = (key: Key, found: KvEntry | undefined) => ({ ok: false, error: { kind: 'conflict', key, found } })

const values = (events: readonly KvEvent[]): readonly (string | undefined)[] =>
  events.map((event) => (event.type === 'put' ? event.value : undefined))

async function put(kv: Kv, key: Key, value: string, options?: PutOptions): Promise<Revision> {
  const result = await kv.put(key, value, options)
  if (!result.ok) throw new Error(`put ${key} conflicts`)
  return result.value
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

/** A watch at work: takes events as they are asked for, across batches. */
function watch(kv: Kv, prefix: Key, after: Revision) {
  const stopping = new AbortController()
  const batches = kv.watch(prefix, after, stopping.signal)[Symbol.asyncIterator]()
  const taken: KvEvent[] = []
  const run = async (): Promise<string> => {
    for (;;) {
      const batch = await batches.next()
      if (batch.done === true) return 'returned'
      taken.push(...batch.value)
    }
  }
  return {
    take: async (count: number): Promise<readonly KvEvent[]> => {
      while (taken.length < count) {
        const batch = await batches.next()
        if (batch.done === true) throw new Error(`the watch ended after ${taken.length} of ${count} events`)
        taken.push(...batch.value)
      }
      return taken.splice(0, count)
    },
    ended: (): Promise<string> => run().catch((error) => (isClusterError(error) ? error.code : String(error))),
    stop: async (): Promise<string> => {
      const ended = run()
      stopping.abort()
      return ended
    },
  }
}
