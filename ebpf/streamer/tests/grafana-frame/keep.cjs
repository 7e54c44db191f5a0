// Reads line protocol from standard input, hands it to @grafana/data's StreamingDataFrame in the messages that Grafana
// would send, and prints how many rows each frame keeps.
'use strict';

const { StreamingDataFrame } = require('@grafana/data');
const { readFileSync } = require('node:fs');
const { messages } = require('./messages.cjs');

const KEEP = 1_000_000;

const frames = new Map();
for (const [measurement, message] of messages(readFileSync(0, 'utf8'))) {
  const known = frames.get(measurement);
  if (known === undefined) {
    frames.set(measurement, StreamingDataFrame.fromDataFrameJSON(message, { maxLength: KEEP, maxDelta: Infinity }));
  } else {
    known.push(message);
  }
}

const kept = {};
for (const [measurement, known] of [...frames].sort()) {
  kept[measurement] = known.length;
}
console.log(JSON.stringify(kept));
