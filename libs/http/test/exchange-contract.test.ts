import { serveExchanges, serveExchangesOverNode } from '../src/index.ts'
import { describeExchangeListener } from './exchange-contract.ts'

describeExchangeListener('serveExchanges', serveExchanges, {
  refusesWhatEtcdTakes: false,
  needsOpenClient: false,
  dropsWithoutWord: false,
  waitsForReaders: false,
  skipsSpaces: false,
})

describeExchangeListener('serveExchangesOverNode', serveExchangesOverNode, {
  refusesWhatEtcdTakes: true,
  needsOpenClient: true,
  dropsWithoutWord: true,
  waitsForReaders: true,
  skipsSpaces: true,
})
