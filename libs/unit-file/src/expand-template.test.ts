import { describe, expect, it } from 'vitest'
import { machine } from '../test/machine.ts'
import { expandTemplate } from './expand-template.ts'

const context = { ...machine, hostName: 'node1', osRelease: {} }

const content = `[Unit]
Description=web %i on %H
[Service]
ExecStart=/usr/bin/web --port=80%i
LimitNOFILE=%i
[X-Fleet]
Conflicts=%p@*.service %%
Custom=%H
`

describe('expandTemplate', () => {
  it('puts the instance in where systemd and fleet do', () => {
    expect(expandTemplate({ name: 'web@.service', content }, '1', context)).toEqual({
      ok: true,
      value: {
        name: 'web@1.service',
        options: [
          { section: 'Unit', name: 'Description', value: 'web 1 on node1' },
          { section: 'Service', name: 'ExecStart', value: '/usr/bin/web --port=801' },
          { section: 'Service', name: 'LimitNOFILE', value: '%i' },
          { section: 'X-Fleet', name: 'Conflicts', value: 'web@*.service %%' },
          { section: 'X-Fleet', name: 'Custom', value: '%H' },
        ],
      },
    })
  })

  it.each([
    ['web.service', '1', 'not-a-template'],
    ['web@2.service', '1', 'not-a-template'],
    ['web@.service', 'a/b', 'bad-instance'],
    ['web@.service', '', 'bad-instance'],
  ])('refuses %s with instance %j: %s', (name, instance, kind) => {
    expect(expandTemplate({ name, content: '' }, instance, context)).toMatchObject({ ok: false, error: { kind } })
  })

  it('names the place of a specifier that has no meaning', () => {
    const template = { name: 'a@.service', content: '[Unit]\nDescription=50%x\n' }
    expect(expandTemplate(template, '1', context)).toMatchObject({
      error: { kind: 'bad-specifier', at: { line: 2, column: 13 } },
    })
  })
})
