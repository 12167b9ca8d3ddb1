/**
 * The three forms of a key's answer.
 *
 * @see spec/etcd-v2.md §7.3
 */
import type { V2Event, V2Node } from '@cluster/kv-client'
import type { Context } from './command.ts'
import { goJsonText } from './go-text.ts'

/** Prints an event in the form that `--output` names. An unknown form is said on stderr, and counts as success. */
export function printEvent({ io, globals }: Context, event: V2Event): void {
  const form = globals.text('output')
  const render = forms[form]
  if (render === undefined) io.stderr.write(`Unsupported output format: ${form}\n`)
  else io.stdout.write(render(event))
}

const forms: Readonly<Record<string, (event: V2Event) => string>> = {
  simple: ({ action, node, prevNode }) =>
    action === 'delete' ? `PrevNode.Value: ${prevNode?.value ?? ''}\n` : `${node.value ?? ''}\n`,
  extended: ({ action, node, prevNode, index }) =>
    [
      `Key: ${node.key}`,
      `Created-Index: ${node.createdIndex}`,
      `Modified-Index: ${node.modifiedIndex}`,
      ...(prevNode === undefined ? [] : [`PrevNode.Value: ${prevNode.value ?? ''}`]),
      `TTL: ${node.ttlSeconds ?? 0}`,
      `Index: ${index}`,
      ...(action === 'delete' ? [] : ['', node.value ?? '']),
    ]
      .map((line) => `${line}\n`)
      .join(''),
  json: ({ action, node, prevNode }) =>
    `{"action":${goJsonText(action)},"node":${renderNode(node)},"prevNode":${prevNode === undefined ? 'null' : renderNode(prevNode)}}\n`,
}

/** The client's own shape, which is not the server's: vectors/etcdctl-v2/output-forms.json. */
function renderNode({ key, isDirectory, value, nodes, createdIndex, modifiedIndex, ...times }: V2Node): string {
  const members = [
    `"key":${goJsonText(key)}`,
    ...(isDirectory ? ['"dir":true'] : []),
    `"value":${goJsonText(value ?? '')}`,
    `"nodes":${nodes.length === 0 ? 'null' : `[${nodes.map(renderNode).join(',')}]`}`,
    `"createdIndex":${createdIndex}`,
    `"modifiedIndex":${modifiedIndex}`,
    ...(times.expiration === undefined ? [] : [`"expiration":${goJsonText(times.expiration)}`]),
    ...(times.ttlSeconds === undefined ? [] : [`"ttl":${times.ttlSeconds}`]),
  ]
  return `{${members.join(',')}}`
}
