// Line protocol as the messages that Grafana would send to a browser: one frame a measurement and push; columns `labels`,
// `time`, then the fields by name, as grafana-plugin-sdk-go's labels-column converter writes them.
'use strict';

const ROWS_IN_A_PUSH = 125;

function parse(line) {
  const measurement = line.slice(0, line.indexOf(' '));
  const end = line.lastIndexOf(' ');
  const fields = new Map();
  const field = /([a-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|(-?\d+)i)(,|$)/gy;
  const text = line.slice(measurement.length + 1, end);
  for (let match; (match = field.exec(text)); ) {
    fields.set(match[1], match[3] === undefined ? match[2].replace(/\\(.)/g, '$1') : Number(match[3]));
  }
  return { measurement, fields, time: Math.floor(Number(line.slice(end + 1)) / 1e6) };
}

function frame(measurement, rows) {
  const names = [...rows[0].fields.keys()].sort();
  const types = names.map((name) => (typeof rows[0].fields.get(name) === 'string' ? 'string' : 'number'));
  return {
    schema: {
      name: measurement,
      fields: [
        { name: 'labels', type: 'string' },
        { name: 'time', type: 'time' },
        ...names.map((name, at) => ({ name, type: types[at] })),
      ],
    },
    data: {
      values: [
        rows.map(() => ''),
        rows.map((row) => row.time),
        ...names.map((name) => rows.map((row) => row.fields.get(name))),
      ],
    },
  };
}

// Pairs of measurement and message, in the order in which they are sent.
function* messages(text) {
  const lines = text.split('\n').filter((line) => line !== '');
  for (let start = 0; start < lines.length; start += ROWS_IN_A_PUSH) {
    const push = new Map();
    for (const row of lines.slice(start, start + ROWS_IN_A_PUSH).map(parse)) {
      push.set(row.measurement, [...(push.get(row.measurement) ?? []), row]);
    }
    for (const [measurement, rows] of push) {
      yield [measurement, frame(measurement, rows)];
    }
  }
}

module.exports = { messages };
