import { readFile } from 'node:fs/promises'
import { systemClock } from '@cluster/daemon/system'
import { expect, it } from 'vitest'
import { startEtcd, whyWithoutEtcd } from './etcd.ts'
import { announce } from './readme-example.ts'

const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8')

it('the README shows the example', async () => {
  expect(await read('../README.md')).toContain(`\`\`\`ts\n${await read('readme-example.ts')}\`\`\``)
})

const reason = whyWithoutEtcd()
if (reason !== undefined) console.warn(`left out: the example of the README, ${reason}`)

it.skipIf(reason !== undefined)('the example returns what the README says', async () => {
  const etcd = await startEtcd()
  try {
    const found = await announce([etcd.url], systemClock)
    expect(await read('../README.md')).toContain(`\`\`\`text\n${found.join('\n')}\n\`\`\``)
  } finally {
    await etcd.close()
  }
})
