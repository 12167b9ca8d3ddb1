/** Every command there is, declared. What one does is loaded when it is run. */
import type { Command } from './command.ts'
import type { Flag } from './go-flags.ts'

const toggle = (names: Flag['names'], summary: string): Flag => ({ kind: 'boolean', names, summary })
const text = (names: Flag['names'], summary: string): Flag => ({ kind: 'text', names, summary })
const integer = (name: string, summary: string): Flag => ({ kind: 'integer', names: [name], summary, default: '0' })

/** Flags that stand before the command. */
export const globalFlags: readonly Flag[] = [
  toggle(['debug'], 'print every request as a curl command on stderr'),
  toggle(['no-sync'], 'ask the endpoints as given, without asking first who the members are'),
  {
    kind: 'text',
    names: ['output', 'o'],
    summary: 'form of an answer: simple, extended or json',
    default: 'simple',
  },
  text(['discovery-srv', 'D'], 'domain whose SRV records name the endpoints'),
  text(['peers', 'C'], 'DEPRECATED: use --endpoints'),
  text(['endpoint'], 'DEPRECATED: use --endpoints'),
  text(['endpoints'], 'addresses of members, divided by commas (default: http://127.0.0.1:2379,http://127.0.0.1:4001)'),
  text(['cert-file'], 'certificate that tells the server who we are, PEM'),
  text(['key-file'], 'private key of that certificate, PEM'),
  text(['ca-file'], 'authorities that servers are checked against, PEM'),
  text(['username', 'u'], 'NAME[:PASSWORD]; without a password it is asked for'),
  { kind: 'duration', names: ['timeout'], summary: 'longest wait for one endpoint', default: '1s' },
  {
    kind: 'duration',
    names: ['total-timeout'],
    summary: 'longest time for the whole command, watches excepted',
    default: '5s',
  },
]

const ttl = integer('ttl', 'seconds until the key ends, 0 for never')
const sort = toggle(['sort'], 'in the order of the names')
const quorum = toggle(['quorum', 'q'], 'ask a majority of the members')
const recursive = (summary: string): Flag => toggle(['recursive', 'r'], summary)
const afterIndex: Flag = integer('after-index', 'begin with the first change after this index')
const roles: Flag = { kind: 'list', names: ['roles'], summary: 'name of a role; may be given several times' }
const path = text(['path'], 'key, or beginning of keys followed by *')
const rights: readonly Flag[] = [
  path,
  toggle(['read'], 'reading'),
  toggle(['write'], 'writing'),
  toggle(['readwrite'], 'reading and writing'),
]

const ownOutput: Flag = text(['output', 'o'], 'form of the answer: simple or json')

const dashNote = (name: string): string =>
  `A value that begins with a dash is taken for a flag. Put -- before the key:\n${name} -- KEY -VALUE`

/** In the order in which help lists them. */
export const commands: readonly Command[] = [
  {
    kind: 'command',
    name: 'backup',
    summary: 'copy a data directory, for a member that starts a new cluster from it',
    usage: '',
    description:
      'The copy is a store of its own: it gets new identities, and must be started once with --force-new-cluster.\nThe directory may be in use.',
    flags: [
      text(['data-dir'], 'data directory to copy'),
      text(['wal-dir'], 'log directory to copy, when it is kept elsewhere'),
      text(['backup-dir'], 'directory to make'),
      text(['backup-wal-dir'], 'log directory to make, when it is to be kept elsewhere'),
    ],
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    kind: 'command',
    name: 'cluster-health',
    summary: 'tell which members are healthy',
    usage: '',
    flags: [toggle(['forever', 'f'], 'look again every 10 seconds')],
    load: async () => (await import('./commands/cluster-health.ts')).clusterHealth,
  },
  {
    kind: 'command',
    name: 'mk',
    summary: 'make a key that is not there yet',
    usage: 'KEY [VALUE]',
    description: `Without VALUE it is read from stdin.\n${dashNote('mk')}`,
    flags: [toggle(['in-order'], 'make a key below the directory KEY, named by the next index'), ttl],
    load: async () => (await import('./commands/write.ts')).mk,
  },
  {
    kind: 'command',
    name: 'mkdir',
    summary: 'make a directory',
    usage: 'KEY',
    flags: [ttl],
    load: async () => (await import('./commands/write.ts')).mkdir,
  },
  {
    kind: 'command',
    name: 'rm',
    summary: 'remove a key, or a directory',
    usage: 'KEY',
    flags: [
      toggle(['dir'], 'remove a directory, if it is empty'),
      recursive('remove a directory and all below it'),
      text(['with-value'], 'only if this is the value'),
      integer('with-index', 'only if this is the index of the last change'),
    ],
    load: async () => (await import('./commands/remove.ts')).rm,
  },
  {
    kind: 'command',
    name: 'rmdir',
    summary: 'remove an empty directory, or a key',
    usage: 'KEY',
    flags: [],
    load: async () => (await import('./commands/remove.ts')).rmdir,
  },
  {
    kind: 'command',
    name: 'get',
    summary: 'print the value of a key',
    usage: 'KEY',
    flags: [sort, quorum],
    load: async () => (await import('./commands/read.ts')).get,
  },
  {
    kind: 'command',
    name: 'ls',
    summary: 'list a directory',
    usage: '[KEY]',
    flags: [
      sort,
      recursive('list the directories below it, too'),
      toggle(['p'], 'put a slash behind directories'),
      quorum,
    ],
    load: async () => (await import('./commands/read.ts')).ls,
  },
  {
    kind: 'command',
    name: 'set',
    summary: 'set the value of a key',
    usage: 'KEY [VALUE]',
    description: `Without VALUE it is read from stdin.\n${dashNote('set')}`,
    flags: [
      ttl,
      text(['swap-with-value'], 'only if this is the value now'),
      integer('swap-with-index', 'only if this is the index of the last change'),
    ],
    load: async () => (await import('./commands/write.ts')).set,
  },
  {
    kind: 'command',
    name: 'setdir',
    summary: 'make a directory, or give one another time to live',
    usage: 'KEY',
    flags: [ttl],
    load: async () => (await import('./commands/write.ts')).setdir,
  },
  {
    kind: 'command',
    name: 'update',
    summary: 'set the value of a key that is there',
    usage: 'KEY [VALUE]',
    description: `Without VALUE it is read from stdin.\n${dashNote('update')}`,
    flags: [ttl],
    load: async () => (await import('./commands/write.ts')).update,
  },
  {
    kind: 'command',
    name: 'updatedir',
    summary: 'give a directory another time to live',
    usage: 'KEY',
    flags: [ttl],
    load: async () => (await import('./commands/write.ts')).updatedir,
  },
  {
    kind: 'command',
    name: 'watch',
    summary: 'print the next change of a key',
    usage: 'KEY',
    flags: [
      toggle(['forever', 'f'], 'go on until interrupted'),
      afterIndex,
      recursive('changes of everything below the key, too'),
    ],
    load: async () => (await import('./commands/watch.ts')).watch,
  },
  {
    kind: 'command',
    name: 'exec-watch',
    summary: 'start a program at each change of a key',
    usage: 'KEY -- PROGRAM [ARGUMENTS]',
    description:
      'The program finds the change in ETCD_WATCH_ACTION, ETCD_WATCH_MODIFIED_INDEX, ETCD_WATCH_KEY and ETCD_WATCH_VALUE.',
    flags: [afterIndex, recursive('changes of everything below the key, too')],
    load: async () => (await import('./commands/exec-watch.ts')).execWatch,
  },
  {
    kind: 'group',
    name: 'member',
    summary: 'list, add, change and remove members',
    commands: [
      {
        kind: 'command',
        name: 'list',
        summary: 'list the members',
        usage: '',
        flags: [],
        load: async () => (await import('./commands/member.ts')).memberList,
      },
      {
        kind: 'command',
        name: 'add',
        summary: 'let a new member in',
        usage: 'NAME PEER-URL',
        flags: [],
        load: async () => (await import('./commands/member.ts')).memberAdd,
      },
      {
        kind: 'command',
        name: 'remove',
        summary: 'take a member out',
        usage: 'ID',
        flags: [],
        load: async () => (await import('./commands/member.ts')).memberRemove,
      },
      {
        kind: 'command',
        name: 'update',
        summary: 'give a member other peer URLs',
        usage: 'ID PEER-URL[,PEER-URL]',
        flags: [],
        load: async () => (await import('./commands/member.ts')).memberUpdate,
      },
    ],
  },
  {
    kind: 'command',
    name: 'import',
    summary: 'write the keys of a snapshot of etcd 0.4 into a store',
    usage: '',
    flags: [
      text(['snap'], 'snapshot file'),
      { kind: 'list', names: ['hidden'], summary: 'hidden key to write, too; may be given several times' },
      { kind: 'integer', names: ['c'], summary: 'how many keys are written at the same time', default: '10' },
    ],
    load: async () => (await import('./commands/import.ts')).importSnapshot,
  },
  {
    kind: 'group',
    name: 'user',
    summary: 'users, their passwords and roles',
    commands: [
      {
        kind: 'command',
        name: 'add',
        summary: 'make a user',
        usage: 'NAME[:PASSWORD]',
        flags: [],
        load: async () => (await import('./commands/user.ts')).userAdd,
      },
      {
        kind: 'command',
        name: 'get',
        summary: 'print the roles of a user',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/user.ts')).userGet,
      },
      {
        kind: 'command',
        name: 'list',
        summary: 'list the users',
        usage: '',
        flags: [],
        load: async () => (await import('./commands/user.ts')).userList,
      },
      {
        kind: 'command',
        name: 'remove',
        summary: 'remove a user',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/user.ts')).userRemove,
      },
      {
        kind: 'command',
        name: 'grant',
        summary: 'give roles to a user',
        usage: 'NAME',
        flags: [roles],
        load: async () => (await import('./commands/user.ts')).userGrant,
      },
      {
        kind: 'command',
        name: 'revoke',
        summary: 'take roles from a user',
        usage: 'NAME',
        flags: [roles],
        load: async () => (await import('./commands/user.ts')).userRevoke,
      },
      {
        kind: 'command',
        name: 'passwd',
        summary: 'give a user another password',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/user.ts')).userPasswd,
      },
    ],
  },
  {
    kind: 'group',
    name: 'role',
    summary: 'roles and what they may do',
    commands: [
      {
        kind: 'command',
        name: 'add',
        summary: 'make a role',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/role.ts')).roleAdd,
      },
      {
        kind: 'command',
        name: 'get',
        summary: 'print what a role may do',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/role.ts')).roleGet,
      },
      {
        kind: 'command',
        name: 'list',
        summary: 'list the roles',
        usage: '',
        flags: [],
        load: async () => (await import('./commands/role.ts')).roleList,
      },
      {
        kind: 'command',
        name: 'remove',
        summary: 'remove a role',
        usage: 'NAME',
        flags: [],
        load: async () => (await import('./commands/role.ts')).roleRemove,
      },
      {
        kind: 'command',
        name: 'grant',
        summary: 'let a role do more',
        usage: 'NAME',
        flags: rights,
        load: async () => (await import('./commands/role.ts')).roleGrant,
      },
      {
        kind: 'command',
        name: 'revoke',
        summary: 'let a role do less',
        usage: 'NAME',
        flags: rights,
        load: async () => (await import('./commands/role.ts')).roleRevoke,
      },
    ],
  },
  {
    kind: 'group',
    name: 'auth',
    summary: 'switch the checking of rights on and off',
    commands: [
      {
        kind: 'command',
        name: 'enable',
        summary: 'check rights from now on',
        usage: '',
        flags: [],
        load: async () => (await import('./commands/auth.ts')).authEnable,
      },
      {
        kind: 'command',
        name: 'disable',
        summary: 'check no rights any more',
        usage: '',
        flags: [],
        load: async () => (await import('./commands/auth.ts')).authDisable,
      },
    ],
  },
  {
    kind: 'command',
    name: 'completion',
    summary: 'print a completion script for a shell',
    usage: 'bash|zsh|fish',
    description: 'Source what it prints:\nsource <(kvctl completion bash)',
    isOurs: true,
    flags: [],
    load: async () => (await import('./commands/completion.ts')).completionOf(commands, globalFlags),
  },
  {
    kind: 'command',
    name: 'dump',
    summary: 'print what stands in a data directory',
    usage: 'DIR',
    description: 'Reads files, asks nobody. The directory may be in use: a write that is under way looks torn.',
    isOurs: true,
    flags: [ownOutput],
    load: async () => (await import('./commands/dump.ts')).dump,
  },
  {
    kind: 'command',
    name: 'check',
    summary: 'read a data directory from end to end and tell what is wrong with it',
    usage: 'DIR',
    description: 'Exit 1 when it is damaged. Reads files, asks nobody, changes nothing.',
    isOurs: true,
    flags: [ownOutput],
    load: async () => (await import('./commands/check.ts')).check,
  },
]
