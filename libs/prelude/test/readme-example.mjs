import { ClusterError, describeError, err, isClusterError, ok } from '@cluster/prelude'

class LedgerError extends ClusterError {}

const parsePort = (text) => (/^\d{1,5}$/.test(text) ? ok(Number(text)) : err({ kind: 'not-a-port', text }))

const port = parsePort('80a')
console.log(port.ok ? port.value : `${port.error.text} is not a port`)

try {
  throw new LedgerError('ledger/gone', 'the ledger cannot be read', {
    hint: 'start it: systemctl start ledger',
    cause: new Error('connection refused'),
  })
} catch (error) {
  if (isClusterError(error, 'ledger/gone')) console.error(describeError(error).join('\n'))
}
