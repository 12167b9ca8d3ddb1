/**
 * State machines behind the store. `@cluster/kv-store/v2` is the etcd v2 tree; here is what its versions share: byte
 * strings, how they become bytes and JSON, and errors.
 * @packageDocumentation
 */
export { type ByteString, byteStringOf, textOf } from './byte-string.ts'
export { KvStoreError, type KvStoreErrorCode } from './errors.ts'
export { escapeGoJson, utf8SequenceLength } from './go-json.ts'
export { type Latin1Codec, pureLatin1 } from './latin1.ts'
