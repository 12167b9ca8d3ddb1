import { seededRandom } from '@cluster/prelude'
import {
  type AllocationAnswer,
  beginAllocation,
  continueAllocation,
  encodeAttributes,
  isFinished,
  parseIp4,
  parseNetworkConfig,
  readLease,
  renderSubnetEnv,
} from '@cluster/subnet'

const reading = parseNetworkConfig('{"Network": "10.5.0.0/16", "SubnetMax": "10.5.3.0", "Backend": {"Type": "vxlan"}}')
const publicIp = parseIp4('192.0.2.7')
if (!reading.ok || publicIp === undefined) throw new Error('bad configuration')
const { config } = reading.value

// A store in memory, with the lease of another machine. In a daemon: @cluster/kv, and each write on its condition.
const store = new Map([['10.5.1.0-24', '{"PublicIP":"192.0.2.9","BackendType":"host-gw"}']])
const own = { publicIp, backendType: 'vxlan', backendData: { VNI: 1, VtepMAC: '0a:58:0a:05:02:00' } }

const random = seededRandom(5)
let allocation = beginAllocation({ config, publicIp })
while (!isFinished(allocation)) {
  const { step } = allocation
  console.log(step.kind, 'reason' in step ? `(${step.reason})` : '')
  let answer: AllocationAnswer = { kind: 'done' }
  if (step.kind === 'list') {
    const readings = [...store].map(([key, value]) => readLease({ key, value, ttlSeconds: 86_400 }))
    const leases = readings.flatMap((one) => (one.kind === 'lease' ? [one.lease] : []))
    answer = { kind: 'listed', listing: { leases } }
  }
  if (step.kind === 'create') store.set(step.key, encodeAttributes(own))
  allocation = continueAllocation(allocation, answer, random)
}

const { step } = allocation
if (step.kind === 'acquired' && step.subnet.v4 !== undefined) {
  console.log(step.how, step.key, store.get(step.key))
  console.log(renderSubnetEnv({ network: config.network, subnet: step.subnet.v4, mtu: 1450, ipMasq: true }))
}
