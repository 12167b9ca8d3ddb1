/** The pure libraries in a real browser: bundled for it without anything of Node's, and run in Debian's Chromium. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type BrowserLibrary, browserLibraries, bundle, bundleLibrary } from './browser-bundle.ts'
import { program } from './browser-program.ts'

const names: readonly BrowserLibrary[] = [
  '@cluster/unit-file',
  '@cluster/scheduler',
  '@cluster/kv',
  '@cluster/kv-store',
  '@cluster/auth',
]
const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path))

const expected = {
  rendered: true,
  undecoded: 0xdcff,
  hash: expect.stringMatching(/^[0-9a-f]{40}$/),
  placement: { 'web@1.service': 'm1', 'web@2.service': 'm2' },
  why: [
    'web@3.service: waits, 0 of 2 machines can run it',
    'm1: the Conflicts of web@1.service, which is here, match it',
    'm2: the Conflicts of web@2.service, which is here, match it',
  ],
  put: true,
  stored: ['done', 'grüezi'],
  decision: 'allow',
}

it.each(names)('%s is bundled for a browser, and names nothing of Node’s', async (name) => {
  const script = await bundleLibrary(name)
  expect(script.match(/(?<![\w$.'"`])(Buffer|process|__dirname)\.\w+|(?<![\w$.])require\(/)?.[0]).toBeUndefined()
})

it('a bundle with something of Node’s in it is refused', async () => {
  await expect(bundle("import 'node:fs'")).rejects.toThrow('node:fs')
})

describe('a program with all of them', () => {
  it('answers in Node', async () => expect(await program()).toEqual(expected))

  it.skipIf(executablePath === undefined)(
    'answers the same in Chromium (Debian package chromium)',
    async () => {
      const script = await bundle("export { program } from './browser-program.ts'")
      // Root may not use the sandbox; the page holds our own code and reaches no network.
      const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
      try {
        const page = await browser.newPage()
        const problems: unknown[] = []
        page.on('pageerror', (error) => problems.push(error))
        await page.addScriptTag({ content: script })
        const answer: unknown = await page.evaluate('bundled.program()')
        expect(problems).toEqual([])
        expect(answer).toEqual(await program())
      } finally {
        await browser.close()
      }
    },
    120_000,
  )
})

it('all libraries that are bundled are tested', () => expect(Object.keys(browserLibraries)).toEqual([...names]))
