/** Byte strings in and out of memory by what `Buffer` does natively. */
import { type Latin1Codec, pureLatin1 } from '@cluster/kv-store'

/** Below this many bytes the call costs more than the loop. */
const nativeFrom = 24

/** A codec for one user: it remembers the memory it saw last, which for a ring or a tree is mostly the same again. */
export function createBufferLatin1(): Latin1Codec {
  let lastBytes: Uint8Array | undefined
  let lastView: Buffer = Buffer.alloc(0)
  const viewOf = (bytes: Uint8Array): Buffer => {
    if (bytes !== lastBytes) {
      lastView = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      lastBytes = bytes
    }
    return lastView
  }
  return {
    latin1Slice: (bytes, start, end) =>
      end - start < nativeFrom
        ? pureLatin1.latin1Slice(bytes, start, end)
        : viewOf(bytes).toString('latin1', start, end),
    latin1Write: (bytes, text, at) => {
      if (text.length < nativeFrom) pureLatin1.latin1Write(bytes, text, at)
      else viewOf(bytes).write(text, at, 'latin1')
    },
  }
}
