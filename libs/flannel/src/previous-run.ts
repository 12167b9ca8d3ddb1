/** What the subnet file tells of the last run. */
import { type Net4, parseNet4, parseVariables, previousSubnet, type Subnet } from '@cluster/subnet'
import { FlannelError } from './errors.ts'
import type { SubnetFile } from './subnet-file.ts'

export type PreviousRun = { readonly subnet?: Subnet; readonly network?: Net4 }

/**
 * The subnet and the network of the last run; neither when there is no file.
 *
 * @throws FlannelError `flannel/subnet-file`; what the file's port throws
 */
export async function readPreviousRun(file: SubnetFile, signal: AbortSignal): Promise<PreviousRun> {
  const text = await file.read(signal)
  if (text === undefined) return {}
  const subnet = previousSubnet(text)
  if (!subnet.ok) throw new FlannelError('flannel/subnet-file', subnet.error.text, { hint: subnet.error.hint })
  const network = parseNet4(parseVariables(text).get('FLANNEL_NETWORK') ?? '')
  return {
    ...(subnet.value === undefined ? {} : { subnet: subnet.value }),
    ...(network === undefined ? {} : { network }),
  }
}
